/**
 * Incidents in memory, for simulations: held to the same contract as the store on Postgres. What outlives a process
 * is for its owner to say, by keeping the store.
 */
import type { RegionId } from '../../ports/identity.ts';
import {
  type Incident,
  type IncidentConflict,
  type IncidentStore,
  type NewIncident,
  maxListedConflicts,
} from '../../ports/incident-store.ts';

export class MemoryIncidentStore implements IncidentStore {
  #incidents: readonly Incident[] = [];
  readonly #conflicts = new Map<number, Map<string, IncidentConflict>>();
  #last = 0;

  async open(): Promise<readonly Incident[]> {
    return this.#open();
  }

  async create(incident: NewIncident): Promise<Incident | null> {
    if (this.#open().some(({ peer }) => peer === incident.peer)) return null;
    const created = { ...incident, number: ++this.#last, revision: 1, conflictCount: 0 };
    this.#incidents = [...this.#incidents, created];
    return created;
  }

  async replace(incident: Incident): Promise<boolean> {
    const known = this.#unchanged(incident);
    if (known === null) return false;
    const { conflictCount } = known;
    const replaced = { ...incident, conflictCount, revision: incident.revision + 1 };
    this.#incidents = this.#incidents.map((each) => (each === known ? replaced : each));
    return true;
  }

  async drop(incident: Incident): Promise<boolean> {
    const known = this.#unchanged(incident);
    if (known === null) return false;
    this.#incidents = this.#incidents.filter((each) => each !== known);
    this.#conflicts.delete(known.number);
    return true;
  }

  async list(query: {
    readonly before: number | null;
    readonly limit: number;
  }): Promise<readonly Incident[]> {
    const before = query.before ?? Number.POSITIVE_INFINITY;
    const found = this.#incidents.filter(({ number }) => number < before).toReversed();
    return found.slice(0, query.limit);
  }

  async find(number: number): Promise<Incident | null> {
    return this.#incidents.find((each) => each.number === number) ?? null;
  }

  async conflicts(number: number): Promise<readonly IncidentConflict[]> {
    const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
    return [...(this.#conflicts.get(number)?.values() ?? [])].toSorted(
      (a, b) => order(a.collection, b.collection) || order(a.key, b.key),
    );
  }

  /** What the record store does in the transaction that applies changes of the peer. */
  note(peer: RegionId, conflicts: readonly IncidentConflict[]): void {
    this.#incidents = this.#incidents.map((incident) => {
      if (incident.peer !== peer || incident.endedAtMs !== null) return incident;
      const listed = this.#conflicts.get(incident.number) ?? new Map<string, IncidentConflict>();
      const isFull = incident.conflictCount >= maxListedConflicts;
      const before = listed.size;
      if (!isFull)
        for (const conflict of conflicts) {
          const name = JSON.stringify([conflict.collection, conflict.key]);
          if (!listed.has(name)) listed.set(name, conflict);
        }
      this.#conflicts.set(incident.number, listed);
      const added = isFull ? conflicts.length : listed.size - before;
      return { ...incident, conflictCount: incident.conflictCount + added };
    });
  }

  #open(): readonly Incident[] {
    return this.#incidents.filter(({ endedAtMs }) => endedAtMs === null);
  }

  #unchanged(incident: Incident): Incident | null {
    const known = this.#incidents.find(({ number }) => number === incident.number) ?? null;
    return known?.revision === incident.revision ? known : null;
  }
}

/**
 * The incidents of a region as one of its processes writes them down, and what it takes for the proof that ends one:
 * a clean sweep of the transfer engine, asked for here. Digests are for people to compare, and nobody reads them here.
 */
import { VerifiedSweeps } from '@isthmus/region/verified-sweeps';
import type { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { IncidentWatch } from '@isthmus/replication/links/incident-watch';
import type { LinkWatch } from '@isthmus/replication/links/link-watch';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { Incident, NewIncident } from '@isthmus/replication/ports/incident-store';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { Sweeps } from '@isthmus/replication/ports/sweeps';
import type { Replicator } from '@isthmus/replication/replicator';
import type { SimBeatStore } from './sim-beats.ts';
import type { SimPostgres } from './sim-postgres.ts';
import type { SimProcess } from './sim-process.ts';
import { SimVerifications } from './sim-transfer.ts';

export interface IncidentParts {
  readonly postgres: SimPostgres;
  readonly process: SimProcess;
  readonly agenda: AgendaWatch;
  readonly beats: SimBeatStore;
  readonly links: LinkWatch;
  readonly replicator: Replicator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly seen: (point: string) => void;
  readonly onStored: (incident: Incident) => void;
  readonly onDropped: (incident: Incident) => void;
}

export function watchIncidents(parts: IncidentParts): IncidentWatch {
  const { postgres, process, agenda, beats, links, replicator, clock, logger } = parts;
  return new IncidentWatch({
    ...postgres.region.identity,
    links: () => links.links,
    isActive: () => replicator.relayState !== 'standby',
    agenda,
    incidents: new SimIncidents(postgres, parts),
    beats,
    sweeps: simSweeps(new SimVerifications(postgres)),
    clock,
    timer: process.timer,
    logger,
  });
}

export class SimIncidents {
  readonly #postgres: SimPostgres;
  readonly #events: Pick<IncidentParts, 'seen' | 'onStored' | 'onDropped'>;

  constructor(postgres: SimPostgres, events: Pick<IncidentParts, 'seen' | 'onStored' | 'onDropped'>) {
    this.#postgres = postgres;
    this.#events = events;
  }

  get #inner() {
    return this.#postgres.region.incidents;
  }

  open(): Promise<readonly Incident[]> {
    return this.#postgres.read('open incidents', () => this.#inner.open());
  }

  create(incident: NewIncident): Promise<Incident | null> {
    return this.#postgres.commit('create incident', async () => {
      const created = await this.#inner.create(incident);
      if (created !== null) this.#events.onStored(created);
      return created;
    });
  }

  replace(incident: Incident): Promise<boolean> {
    if (incident.state === 'reconciled') this.#events.seen('incident reconciled');
    else if (incident.declaredAtMs !== null) this.#events.seen('incident declared');
    return this.#postgres.commit('replace incident', async () => {
      const isReplaced = await this.#inner.replace(incident);
      if (isReplaced) this.#events.onStored(incident);
      return isReplaced;
    });
  }

  drop(incident: Incident): Promise<boolean> {
    return this.#postgres.commit('drop incident', async () => {
      const isDropped = await this.#inner.drop(incident);
      if (isDropped) this.#events.onDropped(incident);
      return isDropped;
    });
  }
}

export function simSweeps(verifications: SimVerifications): Sweeps {
  const digests = { cleanSweepSince: async () => null, digests: async () => ({ own: {}, peer: {} }) };
  return new VerifiedSweeps(digests, verifications);
}

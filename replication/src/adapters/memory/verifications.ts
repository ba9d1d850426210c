/** What sweeps have proven, on a database in memory. */
import type { RegionId } from '../../ports/identity.ts';
import type { SweepResult, Verification, VerificationStore } from '../../ports/verification.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

interface VerificationRow extends Verification {
  /** Number of the last sweep that began. */
  readonly begun: number;
}

export class MemoryVerifications implements VerificationStore {
  readonly #database: MemoryDatabase;
  readonly #rows: MemoryTable<VerificationRow>;

  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.#rows = database.table('verification');
  }

  async all(): Promise<readonly Verification[]> {
    const rows = [...this.#rows.values()].map(({ begun: _begun, ...row }) => row);
    return rows.toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  }

  async want(peers: readonly RegionId[]): Promise<ReadonlyMap<RegionId, number>> {
    for (const peer of peers) this.#put({ ...this.#rowOf(peer), isWanted: true });
    return new Map(peers.map((peer) => [peer, this.#rowOf(peer).begun + 1]));
  }

  async began(peer: RegionId): Promise<number> {
    const row = this.#rowOf(peer);
    const begun = row.begun + 1;
    this.#put({ ...row, begun, isWanted: false });
    return begun;
  }

  async ended(peer: RegionId, { sweep, startedAtMs, diverged }: SweepResult): Promise<void> {
    const row = this.#rowOf(peer);
    if ((row.cleanSweep ?? 0) > sweep) return;
    const found =
      diverged > 0
        ? { throughMs: row.throughMs, cleanSweep: null, diverged: true }
        : { throughMs: startedAtMs, cleanSweep: sweep, diverged: false };
    this.#put({ ...row, ...found, sweptAtMs: this.#database.nowMs() });
  }

  /** In a transaction. */
  empty(): void {
    this.#rows.clear();
  }

  #rowOf(peer: RegionId): VerificationRow {
    return this.#rows.get(peer) ?? { peer, ...unswept };
  }

  #put(row: VerificationRow): void {
    this.#database.transact(true, () => this.#rows.put(row.peer, row));
  }
}

const unswept = {
  throughMs: null,
  cleanSweep: null,
  diverged: null,
  sweptAtMs: null,
  isWanted: false,
  begun: 0,
};

/** What sweeps have proven, on a database in memory. */
import type { RegionId } from '../../ports/identity.ts';
import type { SweepResult, Verification, VerificationStore } from '../../ports/verification.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

export class MemoryVerifications implements VerificationStore {
  readonly #database: MemoryDatabase;
  readonly #rows: MemoryTable<Verification>;

  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.#rows = database.table('verification');
  }

  async all(): Promise<readonly Verification[]> {
    return [...this.#rows.values()].toSorted((a, b) => (a.peer < b.peer ? -1 : 1));
  }

  async want(peers: readonly RegionId[]): Promise<void> {
    for (const peer of peers) this.#put({ ...this.#rowOf(peer), isWanted: true });
  }

  async began(peer: RegionId): Promise<void> {
    const row = this.#rows.get(peer);
    if (row !== undefined) this.#put({ ...row, isWanted: false });
  }

  async ended(peer: RegionId, { startedAtMs, diverged }: SweepResult): Promise<void> {
    const row = this.#rowOf(peer);
    const throughMs = diverged > 0 ? row.throughMs : startedAtMs;
    this.#put({ ...row, throughMs, diverged: diverged > 0, sweptAtMs: this.#database.nowMs() });
  }

  /** In a transaction. */
  empty(): void {
    this.#rows.clear();
  }

  #rowOf(peer: RegionId): Verification {
    return (
      this.#rows.get(peer) ?? { peer, throughMs: null, diverged: null, sweptAtMs: null, isWanted: false }
    );
  }

  #put(row: Verification): void {
    this.#database.transact(true, () => this.#rows.put(row.peer, row));
  }
}

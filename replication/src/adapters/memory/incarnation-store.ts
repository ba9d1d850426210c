/** What is known of incarnations that are over, in memory: held to the same contract as the store on Postgres. */
import type { IncarnationStore, Relearning } from '../../ports/incarnation-store.ts';
import type { Vector, VectorEntry } from '../../ports/vector.ts';
import { placeOf } from '../../vector.ts';
import { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

const only = '';

export class MemoryIncarnationStore implements IncarnationStore {
  readonly #database: MemoryDatabase;
  readonly #closed: MemoryTable<VectorEntry>;
  readonly #relearning: MemoryTable<Relearning>;

  constructor(database = new MemoryDatabase({ nowMs: () => 0 })) {
    this.#database = database;
    this.#closed = database.table('closed_incarnation');
    this.#relearning = database.table('relearning');
  }

  async close(ended: VectorEntry): Promise<void> {
    if (this.#closed.get(placeOf(ended)) !== undefined) return;
    this.#database.transact(true, () => this.#closed.put(placeOf(ended), ended));
  }

  async closed(): Promise<Vector> {
    return [...this.#closed.values()];
  }

  async relearning(): Promise<Relearning | null> {
    return this.#relearning.get(only) ?? null;
  }

  async relearnt(): Promise<void> {
    this.#database.transact(true, () => this.#relearning.delete(only));
  }

  /** What taking a new incarnation does to a database. */
  begin(relearning: Relearning): void {
    this.#database.transact(true, () => this.#relearning.put(only, relearning));
  }
}

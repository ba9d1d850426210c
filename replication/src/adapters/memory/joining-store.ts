/** The port `JoiningStore` on a database in memory: a mark that goes back in time with the database. */
import type { JoiningStore } from '../../ports/joining-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

const only = '';

export class MemoryJoiningStore implements JoiningStore {
  readonly #database: MemoryDatabase;
  readonly #joined: MemoryTable<true>;

  /** The database is fresh. */
  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.#joined = database.table('joined');
  }

  async isJoining(): Promise<boolean> {
    return this.#joined.get(only) === undefined;
  }

  async joined(): Promise<void> {
    this.#database.transact(true, () => this.join());
  }

  /** In a transaction. */
  join(): void {
    this.#joined.put(only, true);
  }
}

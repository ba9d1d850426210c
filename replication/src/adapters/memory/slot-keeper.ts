/** The lives of the slot of a database in memory. */
import { assert } from '../../errors.ts';
import type { SlotKeeper, SlotLife } from '../../ports/slot-keeper.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

export class MemorySlotKeeper implements SlotKeeper {
  readonly #database: MemoryDatabase;
  readonly #lives: MemoryTable<SlotLife>;

  /** The database is fresh. */
  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.#lives = database.table('slot_life');
    this.#note();
  }

  get current(): SlotLife {
    const life = this.#lives.get('newest');
    assert(life !== undefined, 'the first life is noted when the database is made');
    return life;
  }

  async life(): Promise<SlotLife> {
    return this.current;
  }

  async renew(): Promise<SlotLife> {
    const { wal } = this.#database;
    if (wal.confirmed !== null) return this.current;
    wal.createSlot();
    this.#note();
    return this.current;
  }

  /** In a transaction, when the database becomes another incarnation. */
  beginAnew(): void {
    const { wal } = this.#database;
    wal.createFirstSlot();
    assert(wal.confirmed !== null, 'the slot was just made');
    this.#lives.put('newest', { number: 1, from: wal.confirmed });
  }

  #note(): void {
    const from = this.#database.wal.confirmed;
    assert(from !== null, 'the slot was just made');
    const number = (this.#lives.get('newest')?.number ?? 0) + 1;
    this.#database.transact(true, () => this.#lives.put('newest', { number, from }));
  }
}

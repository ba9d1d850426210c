/**
 * The wish to fill a database in memory anew, and the emptying of it, which is a part of the transaction that makes it
 * another incarnation. What is half filled is emptied again whatever makes the next one.
 */
import type { Refill, RefillStore, RefillWish } from '../../ports/refill-store.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { RefillStanding } from '../../ports/transfer-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryIdentityRow } from './identity-row.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryTable } from './table.ts';

interface RefillRow extends Refill {
  /** The database was emptied, and not all has come since. */
  readonly isUnfilled: boolean;
}

const only = '';

export interface MemoryRefillGround {
  readonly database: MemoryDatabase;
  readonly identity: MemoryIdentityRow;
  readonly records: Pick<MemoryRecordStore, 'tables'>;
}

export class MemoryRefillStore implements RefillStore {
  readonly #database: MemoryDatabase;
  readonly #rows: MemoryTable<RefillRow>;
  readonly #identity: MemoryIdentityRow;
  readonly #records: { readonly size: number };

  constructor({ database, identity, records }: MemoryRefillGround) {
    this.#database = database;
    this.#identity = identity;
    this.#rows = database.table('refill');
    this.#records = records.tables.records;
  }

  /** Whom the emptied database is filled from; `null`: it was not emptied, or is filled. */
  get donor(): RegionId | null {
    const row = this.#row;
    return row?.isUnfilled === true ? row.donor : null;
  }

  get standing(): RefillStanding {
    if (this.isEmptying) return 'emptied';
    return this.#row?.state === 'securing' ? 'securing' : 'none';
  }

  /** The next incarnation begins with nothing. */
  get isEmptying(): boolean {
    return this.#row?.state === 'renewing' || this.donor !== null;
  }

  async find(): Promise<Refill | null> {
    return this.#row;
  }

  async want({ donor, accepted }: RefillWish): Promise<boolean> {
    const before = this.#row;
    if (before?.state === 'renewing') return false;
    const isUnfilled = before?.isUnfilled ?? false;
    const wasDrained = before?.state === 'securing' ? before.wasDrained : this.#identity.row.drained !== null;
    const times = { wantedAtMs: this.#database.nowMs(), endedAtMs: null };
    const state = isUnfilled ? 'renewing' : 'securing';
    this.#put({ donor, accepted, state, detail: '', isUnfilled, wasDrained, ...times });
    return true;
  }

  async drain(): Promise<boolean> {
    if (this.#row?.state !== 'securing') return false;
    const { disconnects } = this.#database;
    const begun = { sinceMs: this.#database.nowMs(), disconnects, beat: null };
    if (this.#identity.row.drained === null) this.#identity.change({ drained: begun });
    return true;
  }

  async note(detail: string): Promise<void> {
    const row = this.#row;
    if (row?.state === 'securing' && row.detail !== detail) this.#put({ ...row, detail });
  }

  async secured(): Promise<boolean> {
    const row = this.#row;
    if (row?.state !== 'securing') return false;
    this.#put({ ...row, state: 'renewing', detail: '' });
    return true;
  }

  async refuse(detail: string): Promise<boolean> {
    const row = this.#row;
    if (row?.state !== 'securing') return false;
    this.#end(row, detail);
    return true;
  }

  async withdraw(detail: string): Promise<boolean> {
    const row = this.#row;
    if (row?.state !== 'renewing' || row.isUnfilled) return false;
    this.#end(row, detail);
    return true;
  }

  async countRecords(limit: number): Promise<number> {
    return Math.min(limit, this.#records.size);
  }

  /** In a transaction: the database is empty from now on. */
  emptied(): void {
    const row = this.#row;
    if (row !== null) this.#rows.put(only, { ...row, state: 'filling', isUnfilled: true });
  }

  filled(): void {
    const row = this.#row;
    if (row?.state === 'filling') this.#put({ ...row, state: 'learning', isUnfilled: false, detail: '' });
  }

  learnt(): void {
    const row = this.#row;
    if (row?.state === 'learning') this.#put({ ...row, state: 'done', endedAtMs: this.#database.nowMs() });
  }

  /** What may be dropped takes no writes until that is over, and takes them then. False where nothing may be. */
  joinAfter(): boolean {
    const row = this.#row;
    if (row?.state !== 'securing' && row?.state !== 'renewing') return false;
    if (row.wasDrained) this.#put({ ...row, wasDrained: false });
    return true;
  }

  #end(row: RefillRow, detail: string): void {
    this.#put({ ...row, state: 'refused', detail, endedAtMs: this.#database.nowMs() });
    if (!row.wasDrained) this.#identity.change({ drained: null });
  }

  get #row(): RefillRow | null {
    return this.#rows.get(only) ?? null;
  }

  #put(row: RefillRow): void {
    this.#database.transact(true, () => this.#rows.put(only, row));
  }
}

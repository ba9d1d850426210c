/**
 * Tombstone collection on a database in memory: held to the same contract as the store on Postgres. A transaction runs
 * to its end within one call, so none is ever running when a generation is closed.
 */
import { ConflictError, isDead } from '@isthmus/conflict';
import { assert } from '../../errors.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import type { StoredRecord } from '../../ports/record-store.ts';
import type { BarrierRow, CollectTransaction, TombstoneStore } from '../../ports/tombstone-store.ts';
import type { Vector, VectorEntry } from '../../ports/vector.ts';
import { compareIds } from '../../record-hash.ts';
import { placeOf } from '../../vector.ts';
import type { MemoryDatabase } from './database.ts';
import { type MemoryRecord, type MemoryRecordStore, nameOf } from './record-store.ts';
import type { MemoryTable } from './table.ts';

export interface MemoryTombstoneGround {
  readonly database: MemoryDatabase;
  readonly records: MemoryRecordStore;
  readonly horizon: MemoryTable<VectorEntry>;
}

interface Barrier {
  readonly completed: number;
  readonly round: number;
  readonly openedAtMs: number | null;
  readonly completedAtMs: number | null;
  readonly answered: Lsn;
}

const first: Barrier = { completed: 0, round: 0, openedAtMs: null, completedAtMs: null, answered: 0n };

export class MemoryTombstoneStore implements TombstoneStore {
  readonly #ground: MemoryTombstoneGround;
  readonly #barrier: MemoryTable<Barrier>;

  constructor(ground: MemoryTombstoneGround) {
    this.#ground = ground;
    this.#barrier = ground.database.table('barrier');
  }

  /** For who tells how far the database surely holds its own changes. */
  get answered(): Lsn {
    return this.#row.answered;
  }

  /** In a transaction, when the database becomes another incarnation, of which nothing was told. */
  beginAnew(): void {
    this.#barrier.put('', { ...this.#row, answered: 0n });
  }

  async barrier(): Promise<BarrierRow> {
    const { completed, openedAtMs, completedAtMs } = this.#row;
    const { generation } = this.#ground.records.floors;
    const open = generation > completed + 1 ? generation - 1 : null;
    return { completed, open, openedAtMs, completedAtMs, readAtMs: this.#ground.database.nowMs() };
  }

  async close(number: number): Promise<bigint> {
    const { database, records } = this.#ground;
    if (records.floors.generation === number)
      database.transact(true, () => {
        records.setFloors({ ...records.floors, generation: number + 1 });
        this.#barrier.put('', { ...this.#row, openedAtMs: database.nowMs() });
      });
    return 0n;
  }

  hasEnded(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async beginRound(): Promise<number> {
    const round = this.#row.round + 1;
    this.#ground.database.transact(true, () => this.#barrier.put('', { ...this.#row, round }));
    return round;
  }

  async complete(barrier: {
    readonly number: number;
    readonly round: number;
    readonly vector: Vector;
  }): Promise<boolean> {
    const { number, round, vector } = barrier;
    const { database, horizon } = this.#ground;
    if (this.#row.completed !== number - 1 || this.#row.round !== round) return false;
    database.transact(true, () => {
      const closed = { completed: number, round, openedAtMs: null, completedAtMs: database.nowMs() };
      this.#barrier.put('', { ...this.#row, ...closed });
      for (const entry of vector) {
        const known = horizon.get(placeOf(entry));
        if (known === undefined || known.lsn < entry.lsn) horizon.put(placeOf(entry), entry);
      }
    });
    return true;
  }

  async noteAnswered(position: Lsn): Promise<void> {
    if (position <= this.answered) return;
    this.#ground.database.transact(true, () => this.#barrier.put('', { ...this.#row, answered: position }));
  }

  async hasDead(): Promise<boolean> {
    for (const { state } of this.#ground.records.tables.records.values()) if (isKnownDead(state)) return true;
    return false;
  }

  async countDead(): Promise<number> {
    return this.#dead().length;
  }

  async dead(query: {
    readonly after: RecordId;
    readonly through: number;
    readonly limit: number;
  }): Promise<readonly StoredRecord[]> {
    const { after, through, limit } = query;
    return this.#dead()
      .filter((record) => record.generation <= through && compareIds(record, after) > 0)
      .toSorted(compareIds)
      .slice(0, limit)
      .map(({ collection, key, state }) => ({ collection, key, state }));
  }

  async collect({ ids, through, decide }: CollectTransaction): Promise<number> {
    const { database, records } = this.#ground;
    const table = records.tables.records;
    const rows = ids.flatMap((id) => {
      const row = table.get(nameOf(id));
      return row !== undefined && row.generation <= through ? [row] : [];
    });
    const verdicts = decide(rows);
    assert(verdicts.length === rows.length, 'every row is judged');
    let dropped = 0;
    database.transact(false, () => {
      for (const [place, row] of rows.entries()) {
        const verdict = verdicts[place];
        if (verdict?.kind !== 'drop') continue;
        dropped++;
        table.delete(nameOf(row));
        const { floor, floorMs, generation } = records.floors;
        records.setFloors({
          floor: Math.max(floor, verdict.ownCounter),
          floorMs: Math.max(floorMs, verdict.stampMs),
          generation,
        });
      }
    });
    return dropped;
  }

  get #row(): Barrier {
    return this.#barrier.get('') ?? first;
  }

  #dead(): readonly MemoryRecord[] {
    return [...this.#ground.records.tables.records.values()].filter(({ state }) => isKnownDead(state));
  }
}

/** States never change, and every look at them asks of all. */
const known = new WeakMap<Uint8Array, boolean>();

function isKnownDead(state: Uint8Array): boolean {
  const before = known.get(state);
  if (before !== undefined) return before;
  const verdict = isReadablyDead(state);
  known.set(state, verdict);
  return verdict;
}

/** What nobody can read is kept. */
function isReadablyDead(state: Uint8Array): boolean {
  try {
    return isDead(state);
  } catch (reason) {
    if (reason instanceof ConflictError) return false;
    throw reason;
  }
}

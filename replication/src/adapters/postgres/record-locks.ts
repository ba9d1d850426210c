/**
 * The first half of every write transaction (P3): placeholders for absent records, row locks in one order, and only
 * then, in a later statement, floor and generation. Locking an absent row locks nothing, so without placeholders two
 * writers of one new record would overwrite each other. The order is (collection, key) by UTF-8 bytes for everybody,
 * which is what keeps two batches with the same records from waiting for each other. All of it is one round trip.
 *
 * A placeholder for a record that exists does nothing, so a transaction whose records are likely all there only locks
 * them. It goes on only where every row came back locked; else it is rolled back whole, so that no lock is ever taken
 * out of order, and repeated with placeholders.
 *
 * States come with the locks as far as they are small, else only their sizes, and the states afterwards, a few MiB in a
 * statement (`statement-parts.ts`); so a transaction that would read too much ends before it has read any.
 *
 * Whoever stores a state marks whether it may be in conflict and whether it is dead, so that
 * the indexes of those never lack one.
 */
import { ConflictError, collectable, hasSiblings, mayBeDead } from '@isthmus/conflict';
import { assert } from '../../errors.ts';
import type { RecordId } from '../../ports/change.ts';
import { booleanArray, byteaArray, textArray, tidArray } from './binary-array.ts';
import { maxStatementBytes, requireStates } from '../../transaction-limits.ts';
import { orderOf, requireText } from '../key-order.ts';
import type { Row } from './row-values.ts';
import { bytesAt, numberAt, textAt } from './row-values.ts';
import type { Answer, Call, Session, Statement } from './session.ts';
import { inParts, sendAllButLast } from './statement-parts.ts';
import { RecordsRemoved } from './transaction.ts';

export const insertPlaceholders: Statement = {
  name: 'isthmus_placeholders',
  text: `INSERT INTO isthmus.record (collection, key, state, gen, conflicting, dead)
  SELECT collection, key, '', 0, false, false FROM unnest($1::text[], $2::text[]) AS wanted (collection, key)
  ON CONFLICT DO NOTHING`,
};

/** One statement for each collection: a join on unnest may choose a plan that reads the whole table. */
export const lockRecords: Statement = {
  name: 'isthmus_lock',
  text: `SELECT ctid::text, octet_length(state), CASE WHEN octet_length(state) <= $3 THEN state END
  FROM isthmus.record WHERE collection = $1 AND key = ANY ($2::text[]) ORDER BY key FOR NO KEY UPDATE`,
};

/** Tuple ids hold still while this transaction has the rows locked. */
export const selectLarge: Statement = {
  name: 'isthmus_large_states',
  text: 'SELECT ctid::text, state FROM isthmus.record WHERE ctid = ANY ($1::tid[])',
};

const selectFloor: Statement = {
  name: 'isthmus_floor',
  text: 'SELECT floor, generation, stamp_floor_ms FROM isthmus.identity',
};

export const updateRecords: Statement = {
  name: 'isthmus_update',
  text: `UPDATE isthmus.record SET state = written.state, gen = $3, conflicting = written.conflicting,
    dead = written.dead
  FROM unnest($1::tid[], $2::bytea[], $4::boolean[], $5::boolean[])
    AS written (tuple, state, conflicting, dead) WHERE record.ctid = written.tuple`,
};

export const deleteRecords: Statement = {
  name: 'isthmus_delete',
  text: 'DELETE FROM isthmus.record WHERE ctid = ANY ($1::tid[])',
};

export interface RecordWrite {
  /** Index into the ids that were locked. */
  readonly index: number;
  readonly state: Uint8Array;
}

/** The records of one collection, in the order in which they are locked. */
interface Group {
  readonly collection: string;
  readonly keys: readonly string[];
  /** The caller's indices of the keys. */
  readonly indices: readonly number[];
}

/** Whether the transactions of one kind have lately met records that were absent. */
export class PlaceholderHabit {
  isNeeded = true;
}

/** The records of one transaction in the order in which they are locked. */
export class LockPlan {
  readonly #groups: readonly Group[];
  /** Indices into the caller's ids, sorted. */
  readonly #order: readonly number[];
  readonly #habit: PlaceholderHabit;
  #withPlaceholders: boolean;

  constructor(ids: readonly RecordId[], habit: PlaceholderHabit) {
    this.#groups = groupsOf(ids);
    this.#order = this.#groups.flatMap(({ indices }) => indices);
    this.#habit = habit;
    this.#withPlaceholders = habit.isNeeded;
  }

  /** What to send, after BEGIN and whatever must come first; `read` takes the answers to exactly these. */
  calls(): readonly Call[] {
    if (this.#order.length === 0) return [[selectFloor]];
    const locks = this.#groups.map((group): Call => {
      return [lockRecords, group.collection, textArray(group.keys), this.#smallBytes];
    });
    return this.#withPlaceholders
      ? [this.#placeholders(), ...locks, [selectFloor]]
      : [...locks, [selectFloor]];
  }

  /** All that come with their locks are together no more than a statement carries. */
  get #smallBytes(): number {
    return Math.floor(maxStatementBytes / this.#order.length);
  }

  #placeholders(): Call {
    const collections = this.#groups.flatMap(({ collection, keys }) => keys.map(() => collection));
    const keys = this.#groups.flatMap((group) => group.keys);
    return [insertPlaceholders, textArray(collections), textArray(keys)];
  }

  /**
   * Throws `RecordsRemoved` where a record was absent, or vanished between its placeholder and its lock, and
   * `transaction-too-large` where the states take more than `maxStateBytes`.
   */
  async read(session: Session, answers: readonly Answer[], maxStateBytes?: number): Promise<LockedRows> {
    const placed = this.#withPlaceholders && this.#order.length > 0 ? answers[0] : undefined;
    const locked = answers.slice(placed === undefined ? 0 : 1, -1).flatMap((answer) => answer.rows);
    if (locked.length !== this.#order.length) {
      this.#withPlaceholders = true;
      this.#habit.isNeeded = true;
      throw new RecordsRemoved();
    }
    if (placed !== undefined) this.#habit.isNeeded = placed.rowCount > 0;
    const floor = answers.at(-1)?.rows[0];
    assert(floor !== undefined, 'the identity row is gone');
    requireStates(
      locked.reduce((sum, row) => sum + numberAt(row, 1), 0),
      maxStateBytes,
    );
    return new LockedRows(this.#order, { locked, large: await readLarge(session, locked), floor });
  }
}

/** By their tuple ids. */
async function readLarge(session: Session, locked: readonly Row[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const states = new Map<string, Uint8Array>();
  const large = locked.filter((row) => row[2] === null);
  for (const part of inParts(large, (row) => numberAt(row, 1))) {
    const { rows } = await session.query(selectLarge, tidArray(part.map((row) => textAt(row, 0))));
    for (const row of rows) states.set(textAt(row, 0), bytesAt(row, 1));
  }
  return states;
}

/** In the order in which every transaction locks. */
export function groupsOf(ids: readonly RecordId[]): readonly Group[] {
  const byCollection = new Map<string, number[]>();
  for (const [index, { collection, key }] of ids.entries()) {
    requireText('key', key);
    const indices = byCollection.get(collection);
    if (indices === undefined) byCollection.set(collection, [index]);
    else indices.push(index);
  }
  const collections = [...byCollection.keys()];
  for (const collection of collections) requireText('collection', collection);
  return collections
    .toSorted(orderOf(collections))
    .map((collection) => groupOf(collection, ids, byCollection.get(collection) ?? []));
}

function groupOf(collection: string, ids: readonly RecordId[], members: readonly number[]): Group {
  const keyAt = (index: number): string => ids[index]?.key ?? '';
  const order = orderOf(members.map(keyAt));
  const indices = members.toSorted((a, b) => order(keyAt(a), keyAt(b)));
  const keys = indices.map(keyAt);
  for (const [place, key] of keys.entries()) {
    assert(place === 0 || key !== keys[place - 1], 'a record was named twice in a transaction');
  }
  return { collection, keys, indices };
}

interface Read {
  /** In the order in which they were locked. */
  readonly locked: readonly Row[];
  readonly large: ReadonlyMap<string, Uint8Array>;
  readonly floor: Row;
}

/** Rows that this transaction holds, by the caller's indices. */
class LockedRows {
  /** Empty where nothing is stored. */
  readonly states: readonly Uint8Array[];
  readonly floor: number;
  readonly floorMs: number;
  readonly #generation: number;
  readonly #tuples: readonly string[];

  constructor(order: readonly number[], { locked, large, floor }: Read) {
    const states: Uint8Array[] = Array.from({ length: locked.length });
    const tuples: string[] = Array.from({ length: locked.length });
    for (const [place, index] of order.entries()) {
      const row = locked[place];
      assert(row !== undefined, 'fewer rows than locked');
      const tuple = textAt(row, 0);
      tuples[index] = tuple;
      states[index] = large.get(tuple) ?? bytesAt(row, 2);
    }
    this.states = states;
    this.#tuples = tuples;
    this.floor = numberAt(floor, 0);
    this.#generation = numberAt(floor, 1);
    this.floorMs = numberAt(floor, 2);
  }

  /**
   * Stores `writes` and removes the placeholders that stay empty, except for what it returns, which goes with the end of
   * the transaction. That is all of it, and at once, where it is small.
   */
  write(session: Session, writes: readonly RecordWrite[]): readonly Call[] | Promise<readonly Call[]> {
    const written = new Set<number>();
    for (const { index, state } of writes) {
      assert(index in this.#tuples, `a write to no record: ${index}`);
      assert(!written.has(index), 'two writes to one record');
      assert(state.length > 0, 'an empty state is not stored');
      written.add(index);
    }
    const empty = this.#tuples.filter((_, index) => this.states[index]?.length === 0 && !written.has(index));
    const removal: readonly Call[] = empty.length > 0 ? [[deleteRecords, tidArray(empty)]] : [];
    const updates = inParts(writes, ({ state }) => state.length).map((part) => this.#update(part));
    if (updates.length < 2) return [...updates, ...removal];
    return sendAllButLast(session, [...removal, ...updates]);
  }

  #update(writes: readonly RecordWrite[]): Call {
    const tuples = writes.map((write) => this.#tuples[write.index] ?? '');
    const states = writes.map((write) => write.state);
    const marks = [booleanArray(states.map(hasSiblings)), booleanArray(states.map(isDead))];
    return [updateRecords, tidArray(tuples), byteaArray(states), this.#generation, ...marks];
  }
}

/** Asked of every state that is written, so what is surely alive is told by a look. What nobody can read is kept. */
function isDead(state: Uint8Array): boolean {
  if (!mayBeDead(state)) return false;
  try {
    return collectable(state) !== 'live';
  } catch (reason) {
    if (reason instanceof ConflictError) return false;
    throw reason;
  }
}

/**
 * Records and positions on a database in memory: held to the same contract as the store on Postgres. A transaction
 * runs to its end within one call, so nothing waits for a lock and none is seen half done; what its decision throws
 * leaves everything as it was. Local writes are durable, what is applied need not be (P4). Bytes are kept as they are
 * given and must not be changed by whoever gave them.
 */
import { hasSiblings } from '@isthmus/conflict';
import { ReplicationError, assert } from '../../errors.ts';
import type { CountedBeat, RecordId } from '../../ports/change.ts';
import type { Life, RegionId } from '../../ports/identity.ts';
import { hasRoom, heldBy } from '../../letter-limits.ts';
import type {
  ApplyOutcome,
  ApplyTransaction,
  ConflictingQuery,
  DeadLetter,
  DeadLetterCount,
  ListQuery,
  LocalTransaction,
  LocalWrite,
  PositionMove,
  PositionRow,
  RecordStore,
  StoredRecord,
} from '../../ports/record-store.ts';
import {
  fitsTransaction,
  maxStateBytes as maxRetriedBytes,
  maxTransactionRecords,
  requireStates,
} from '../../transaction-limits.ts';
import { listPageBytes } from '../../ports/record-store.ts';
import type { SeenCommit } from '../../ports/session-store.ts';
import type { VectorEntry, WholePast } from '../../ports/vector.ts';
import { MemoryDeadLetters } from './dead-letters.ts';
import { compareNames, requireStorable, requireText } from '../key-order.ts';
import { awaitUncounted, awaitedRegions, isAwaited } from './awaited-past.ts';
import { type Emission, MemoryDatabase } from './database.ts';
import { type Place, inOrder, isRowOf, moved } from './position-rows.ts';
import type { MemoryTable } from './table.ts';

const chunkBytes = 1024 * 1024;
const empty = new Uint8Array(0);

export interface MemoryRecord extends StoredRecord {
  /** The generation in which it was last written. */
  readonly generation: number;
}

/** What the identity row holds for writes (P3, P8). */
export interface MemoryFloors {
  readonly floor: number;
  readonly floorMs: number;
  readonly generation: number;
}

const firstFloors: MemoryFloors = { floor: 0, floorMs: 0, generation: 1 };

export class MemoryRecordStore implements RecordStore {
  /** The same letters as the port shows them. */
  readonly deadLetters: MemoryDeadLetters;
  readonly #database: MemoryDatabase;
  readonly #records: MemoryTable<MemoryRecord>;
  readonly #floors: MemoryTable<MemoryFloors>;
  /** Origins of which nothing is applied any more. */
  readonly #closed: MemoryTable<RegionId>;
  /** The rows of one origin, in order. */
  readonly #positions: MemoryTable<readonly PositionRow[]>;
  /** The newest beat that has come, of each partition of which changes lie aside. */
  readonly #newestBeats: MemoryTable<CountedBeat>;
  readonly #ahead: MemoryTable<VectorEntry>;
  readonly #awaited: MemoryTable<Life>;
  readonly #ended: MemoryTable<VectorEntry>;
  readonly #whole: MemoryTable<WholePast>;

  constructor(database = new MemoryDatabase({ nowMs: () => 0 })) {
    this.#database = database;
    this.#records = database.table('record');
    this.#positions = database.table('position');
    this.#newestBeats = database.table('newest_beat');
    this.#ahead = database.table('ahead');
    this.#awaited = database.table('awaited_past');
    this.#ended = database.table('closed_incarnation');
    this.#whole = database.table('whole_past');
    this.#floors = database.table('identity');
    this.#closed = database.table('closed');
    this.deadLetters = new MemoryDeadLetters({
      letters: database.table('dead_letter'),
      closed: database.table('closed_letter'),
      nowMs: () => database.nowMs(),
      transact: (isDurable, body) => void database.transact(isDurable, body),
      read: (ids) => this.#lock(ids, ids.length === 1 ? Infinity : maxRetriedBytes),
      write: (ids, writes) => this.#write(ids, writes),
      resettle: (place) => this.resettle(place),
    });
  }

  /** For what else works on the same rows. */
  get tables() {
    return {
      records: this.#records,
      positions: this.#positions,
      ahead: this.#ahead,
      awaited: this.#awaited,
      whole: this.#whole,
      /** Where the logs of lives have ended. */
      ended: this.#ended,
    };
  }

  /** Regions of which the past is awaited, in order. */
  get awaited(): readonly RegionId[] {
    return awaitedRegions(this.#awaited);
  }

  /** The past of the row's region is awaited by those who know it under this life. */
  isAwaited({ origin: region, incarnation }: Pick<PositionRow, 'origin' | 'incarnation'>): boolean {
    return isAwaited(this.#awaited, { region, incarnation });
  }

  /** Of all origins; asked for with every write, and `flat` would be many times slower. */
  allPositions(): readonly PositionRow[] {
    const rows: PositionRow[] = [];
    for (const ofOrigin of this.#positions.values()) for (const row of ofOrigin) rows.push(row);
    return rows;
  }

  get floors(): MemoryFloors {
    return this.#floors.get('') ?? firstFloors;
  }

  /** In a transaction. */
  setFloors(floors: MemoryFloors): void {
    this.#floors.put('', floors);
  }

  /** In a transaction: all that is replicated. */
  empty(): void {
    for (const table of [this.#records, this.#positions, this.#newestBeats]) table.clear();
    this.deadLetters.empty();
  }

  /** In a transaction. */
  closeOrigin(origin: RegionId): void {
    this.#closed.put(origin, origin);
  }

  isClosed(origin: RegionId): boolean {
    return this.#closed.get(origin) !== undefined;
  }

  /** In a transaction; under the present generation. */
  put(record: StoredRecord): void {
    const { collection, key, state } = record;
    this.#records.put(nameOf(record), { collection, key, state, generation: this.floors.generation });
  }

  async read(id: RecordId): Promise<Uint8Array | null> {
    requireStorable(id);
    return this.#records.get(nameOf(id))?.state ?? null;
  }

  async list({ collection, prefix, after, limit }: ListQuery): Promise<readonly StoredRecord[]> {
    requireText('prefix', prefix);
    const found = this.#sorted(collection).filter(
      ({ key }) => key.startsWith(prefix) && (after === null || compareNames(key, after) > 0),
    );
    return pageOf(found.slice(0, limit));
  }

  async listConflicting(query: ConflictingQuery): Promise<readonly StoredRecord[]> {
    const { collection, after, limit } = query;
    const found = this.#sorted(collection).filter(
      ({ key, state }) => (after === null || compareNames(key, after) > 0) && hasSiblings(state),
    );
    return pageOf(found.slice(0, limit));
  }

  /** Every record is looked at whenever it is listed. */
  async examine(): Promise<null> {
    return null;
  }

  async *scan(collection: string): AsyncGenerator<readonly StoredRecord[]> {
    let chunk: StoredRecord[] = [];
    let byteCount = 0;
    for (const record of this.#sorted(collection)) {
      if (byteCount >= chunkBytes) {
        yield chunk;
        [chunk, byteCount] = [[], 0];
      }
      chunk.push(record);
      byteCount += record.state.length;
    }
    if (chunk.length > 0) yield chunk;
  }

  async commitLocal(transaction: LocalTransaction): Promise<SeenCommit | null> {
    const { ids, maxStateBytes, decide } = transaction;
    if (ids.length > maxTransactionRecords) throw tooLarge(`${ids.length} records`);
    const states = this.#lock(ids, maxStateBytes);
    const { floor, floorMs } = this.floors;
    const decided = decide({ floor, floorMs, states });
    const writes = decided instanceof Promise ? await decided : decided;
    // Nothing is locked here; whoever takes turns to decide may be overtaken, and decides again.
    if (decided instanceof Promise && this.#lock(ids).some((state, index) => state !== states[index]))
      return this.commitLocal(transaction);
    const deltaBytes = writes.reduce((sum, { delta }) => sum + delta.length, 0);
    if (!fitsTransaction(writes.length, deltaBytes)) throw tooLarge(`${deltaBytes} bytes of deltas`);
    if (writes.length === 0) return null;
    const end = this.#database.transact(true, (emission) => {
      this.#write(ids, writes);
      this.#emit(emission, ids, writes);
    });
    return { end, seen: { applied: this.allPositions().map(entryOf), ahead: [...this.#ahead.values()] } };
  }

  async applyRemote(transaction: ApplyTransaction): Promise<ApplyOutcome> {
    const { origin, positions, ids, maxStateBytes, decide } = transaction;
    const rows = this.#positions.get(origin) ?? [];
    const stand = (move: PositionMove): boolean =>
      rows.some((row) => isRowOf(row, move) && row.applied === move.expected);
    if (this.isClosed(origin) || !positions.every(stand)) return 'fenced';
    const { writes, deadLetters } = decide(this.#lock(ids, maxStateBytes));
    const more = heldBy(deadLetters, ({ delta }) => delta);
    if (more.count > 0 && !hasRoom(this.deadLetters.held(origin), more)) return 'full';
    this.#database.transact(false, () => {
      this.#write(ids, writes);
      for (const letter of deadLetters) this.#putAside(letter, { origin, positions });
      this.#move(origin, positions);
    });
    return 'applied';
  }

  async positions(origin: RegionId): Promise<readonly PositionRow[]> {
    return this.#positions.get(origin) ?? [];
  }

  async createPosition(created: PositionRow): Promise<void> {
    this.#database.transact(true, () => this.#createPosition(created));
  }

  async openLife(created: PositionRow): Promise<void> {
    const { origin: region, incarnation } = created;
    this.#database.transact(true, () => {
      if (incarnation.counter > 1) awaitUncounted(this.tables, { region, incarnation });
      this.#createPosition(created);
    });
  }

  #createPosition(created: PositionRow): void {
    const rows = this.#positions.get(created.origin) ?? [];
    if (rows.some((row) => isRowOf(row, created))) return;
    this.#positions.put(created.origin, [...rows, created].toSorted(inOrder));
  }

  async countDeadLetters(): Promise<readonly DeadLetterCount[]> {
    return this.deadLetters.counts();
  }

  #sorted(collection: string): readonly StoredRecord[] {
    requireText('collection', collection);
    return [...this.#records.values()]
      .filter((record) => record.collection === collection)
      .toSorted((a, b) => compareNames(a.key, b.key));
  }

  #lock(ids: readonly RecordId[], maxStateBytes?: number): readonly Uint8Array[] {
    for (const id of ids) requireStorable(id);
    const states = ids.map((id) => this.#records.get(nameOf(id))?.state ?? empty);
    requireStates(
      states.reduce((sum, { length }) => sum + length, 0),
      maxStateBytes,
    );
    return states;
  }

  #write(
    ids: readonly RecordId[],
    writes: readonly { readonly index: number; readonly state: Uint8Array }[],
  ): void {
    for (const { index, state } of writes) {
      const id = ids[index];
      assert(id !== undefined && state.length > 0, `a write to no record or of no state: ${index}`);
      this.put({ collection: id.collection, key: id.key, state });
    }
  }

  #emit(emission: Emission, ids: readonly RecordId[], writes: readonly LocalWrite[]): void {
    for (const { index, delta } of writes) {
      const id = ids[index];
      assert(id !== undefined, `a write to no record: ${index}`);
      emission.changes.push({ collection: id.collection, key: id.key, delta });
    }
  }

  /** Of a partition, settled or not; `null`: none is known. */
  newestBeat(place: Placed): CountedBeat | null {
    const row = this.#positions.get(place.origin)?.find((each) => isRowOf(each, place));
    return this.#newestBeats.get(partitionName(place)) ?? row?.beat ?? null;
  }

  /** Within a transaction: a beat whose end the partition has passed, and behind which changes lie aside. */
  noteBeat(place: Placed, beat: CountedBeat): void {
    if (beat.number > (this.newestBeat(place)?.number ?? -1))
      this.#newestBeats.put(partitionName(place), beat);
  }

  #putAside(letter: DeadLetter, { origin, positions }: Pick<ApplyTransaction, 'origin' | 'positions'>): void {
    const home = positions.find(({ partition }) => partition === letter.partition);
    assert(home !== undefined, `a dead letter of partition ${letter.partition}, which does not move`);
    const place = { origin, incarnation: home.incarnation, partition: letter.partition };
    const beatBefore = letter.beatBefore ?? this.newestBeat(place);
    this.deadLetters.putAside({ ...place, ...letter, beatBefore });
  }

  #move(origin: RegionId, moves: readonly PositionMove[]): void {
    const rows = this.#positions.get(origin) ?? [];
    const after = rows.map((row) => {
      const move = moves.find((candidate) => isRowOf(row, candidate));
      if (move === undefined) return row;
      const oldest = this.deadLetters.oldest(row);
      if (oldest === null) this.#forgetNewestBeat(row);
      else if (move.beat !== null) this.#newestBeats.put(partitionName(row), move.beat);
      const isBehind = oldest !== null && (move.beat === null || oldest.lsn <= move.beat.end);
      const { applied, nextOffset } = move;
      const beat = isBehind ? oldest.beatBefore : move.beat;
      return moved(row, { applied, beat, nextOffset }, oldest?.lsn ?? null);
    });
    this.#positions.put(origin, after);
  }

  /** Mostly there is none, of any partition. */
  #forgetNewestBeat(row: Placed): void {
    if (this.#newestBeats.size > 0) this.#newestBeats.delete(partitionName(row));
  }

  /** Within a transaction: up to the oldest letter that is open, and to the beat that had come before it. */
  resettle(place: Placed): void {
    const rows = this.#positions.get(place.origin) ?? [];
    const oldest = this.deadLetters.oldest(place);
    const newest = this.#newestBeats.get(partitionName(place)) ?? null;
    const beat = oldest === null ? newest : oldest.beatBefore;
    if (oldest === null) this.#forgetNewestBeat(place);
    const settled = rows.map((row) => {
      if (!isRowOf(row, place)) return row;
      const isNewer = beat !== null && beat.number > (row.beat?.number ?? -1);
      return moved(row, { ...row, beat: isNewer ? beat : null }, oldest?.lsn ?? null);
    });
    this.#positions.put(place.origin, settled);
  }
}

function entryOf({ origin, incarnation, partition, applied }: PositionRow): VectorEntry {
  return { region: origin, incarnation, partition, lsn: applied };
}

/** As many from the first on as keep the page in its bytes, and one more. */
function pageOf(found: readonly StoredRecord[]): readonly StoredRecord[] {
  let byteCount = 0;
  return found.filter(({ state }) => {
    const fits = byteCount < listPageBytes;
    byteCount += state.length;
    return fits;
  });
}

type Placed = Pick<PositionRow, 'origin'> & Place;

function partitionName({ origin, incarnation, partition }: Placed): string {
  return `${origin} ${incarnation.counter} ${incarnation.nonce} ${partition}`;
}

/** Of a record in its table; no part of it holds U+0000. */
export function nameOf({ collection, key }: RecordId): string {
  return `${collection}\u0000${key}`;
}

function tooLarge(what: string): ReplicationError {
  return new ReplicationError('transaction-too-large', `a transaction has ${what}`, { retriable: false });
}

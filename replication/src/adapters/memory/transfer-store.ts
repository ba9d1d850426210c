/**
 * What transfers read and write, on a database in memory: held to the same contract as the store on Postgres. A
 * snapshot is a copy of the rows. What is merged and raised need not be durable, as there: a crash takes back the one
 * with the other.
 */
import { ReplicationError, assert } from '../../errors.ts';
import { heldBy, requireRoom } from '../../letter-limits.ts';
import type { BeatOf } from '../../ports/beat-store.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import { type Life, type RegionId, sameIncarnation } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import type { SlotLife } from '../../ports/slot-keeper.ts';
import type {
  MergeTransaction,
  Published,
  RaiseTransaction,
  RefillStanding,
  RefusedState,
  Standing,
  TransferSnapshot,
  TransferStore,
} from '../../ports/transfer-store.ts';
import type { Vector, VectorEntry } from '../../ports/vector.ts';
import { outside, placeOf } from '../../vector.ts';
import { settledBeats } from '../newest-settled-beats.ts';
import { refusedPlaces } from '../refused-places.ts';
import { ungivenLives } from '../ungiven-lives.ts';
import { awaitUncounted } from './awaited-past.ts';
import type { MemoryBeatStore } from './beat-store.ts';
import type { MemoryDatabase } from './database.ts';
import { inOrder } from './position-rows.ts';
import { MemoryRecordReader } from './record-reader.ts';
import { lookedAt } from '../passed-letters.ts';
import type { Letter } from './dead-letters.ts';
import { type MemoryRecordStore, nameOf } from './record-store.ts';
import type { MemoryTable } from './table.ts';
import type { MemoryTransferJobs } from './transfer-jobs.ts';
import { raiseWhole, wholePasts } from './whole-pasts.ts';

export interface MemoryTransferGround {
  readonly database: MemoryDatabase;
  readonly records: MemoryRecordStore;
  readonly beats: Pick<MemoryBeatStore, 'newest' | 'publishedThrough' | 'passedBy'>;
  readonly slots: { readonly current: SlotLife };
  readonly jobs: Pick<MemoryTransferJobs, 'donorOf'>;
  /** Where it is ever filled anew. */
  readonly refill?: () => RefillStanding;
}

const nothing = new Uint8Array(0);

export class MemoryTransferStore extends MemoryRecordReader implements TransferStore {
  readonly #ground: MemoryTransferGround;
  readonly #tables: MemoryRecordStore['tables'];
  readonly #ahead: MemoryTable<VectorEntry>;
  readonly #horizon: MemoryTable<VectorEntry>;
  readonly #refused: MemoryTable<RefusedState & { readonly job: number }>;

  constructor(ground: MemoryTransferGround) {
    super(() => ground.records.tables.records.values());
    this.#ground = ground;
    this.#tables = ground.records.tables;
    this.#ahead = ground.records.tables.ahead;
    this.#horizon = ground.database.table('horizon');
    this.#refused = ground.database.table('transfer_refused');
  }

  /** For who raises it. */
  get horizon(): MemoryTable<VectorEntry> {
    return this.#horizon;
  }

  async openSnapshot(): Promise<TransferSnapshot> {
    const records = [...this.#tables.records.values()];
    const reader = new MemoryRecordReader(() => records);
    const standing = this.#read();
    return {
      standing,
      ranges: (after) => reader.ranges(after),
      digest: (range) => reader.digest(range),
      hashes: (range, limit) => reader.hashes(range, limit),
      states: (ids) => reader.states(ids),
      close: () => Promise.resolve(),
    };
  }

  async standing(): Promise<Standing> {
    return this.#read();
  }

  async published(upTo: Lsn): Promise<Published | null> {
    const { beats } = this.#ground;
    const through = beats.publishedThrough;
    return through === null ? null : { through, passed: beats.passedBy(upTo) };
  }

  async expect(ahead: Vector): Promise<void> {
    this.#ground.database.transact(false, () => {
      for (const entry of ahead) {
        const known = this.#ahead.get(placeOf(entry));
        if (known === undefined || known.lsn < entry.lsn) this.#ahead.put(placeOf(entry), entry);
      }
    });
  }

  async forgetCovered(retired: readonly RegionId[]): Promise<boolean> {
    this.#ground.database.transact(false, () => {
      for (const { origin: region, incarnation, partition, settled } of this.#rows()) {
        const place = placeOf({ region, incarnation, partition });
        if ((this.#ahead.get(place)?.lsn ?? settled + 1n) <= settled) this.#ahead.delete(place);
      }
      for (const entry of this.#ahead.values())
        if (retired.includes(entry.region)) this.#ahead.delete(placeOf(entry));
    });
    return outside([...this.#ahead.values()], wholePasts(this.#tables)).length > 0;
  }

  async beginPass(job: number): Promise<void> {
    this.#ground.database.transact(true, () => this.#forgetRefused(job));
  }

  async merge({ job, ids, decide }: MergeTransaction): Promise<boolean> {
    this.#requireOpenDonor(job);
    const states = ids.map((id) => this.#tables.records.get(nameOf(id))?.state ?? nothing);
    const decision = decide({ states, horizon: [...this.#horizon.values()] });
    if (decision === null) return false;
    this.#requireRoom(job, decision.refused);
    this.#ground.database.transact(false, () => {
      for (const { index, state } of decision.writes) {
        const id = ids[index];
        assert(id !== undefined, `a write to no record: ${index}`);
        this.#ground.records.put({ collection: id.collection, key: id.key, state });
      }
      for (const refused of decision.refused)
        this.#refused.put(`${job} ${nameOf(refused)}`, { job, ...refused });
    });
    return true;
  }

  #requireRoom(job: number, refused: readonly RefusedState[]): void {
    if (refused.length === 0) return;
    const replaced = new Set(refused.map(nameOf));
    const kept = [...this.#refused.values()].filter(
      (each) => each.job === job && !replaced.has(nameOf(each)),
    );
    const bytesOf = ({ state }: RefusedState): Uint8Array => state;
    requireRoom(heldBy(kept, bytesOf), heldBy(refused, bytesOf));
  }

  async raise(transaction: RaiseTransaction): Promise<boolean> {
    const { region, job, vector, given, whole, beats, floorMs, partitionOf, decide } = transaction;
    this.#requireOpenDonor(job);
    const passed = this.#lookedAt(this.#passed(vector));
    const letters = passed.map(({ collection, key, delta, givenUp }) => {
      const state = this.#stateOf({ collection, key });
      const isRefused = this.#refused.get(`${job} ${nameOf({ collection, key })}`) !== undefined;
      return { collection, key, delta, state, isGivenUp: givenUp !== null, isRefused };
    });
    const covered = decide({ letters, horizon: [...this.#horizon.values()] });
    if (covered === null) return false;
    this.#ground.database.transact(false, () => {
      for (const [index, letter] of passed.entries())
        if (covered[index] === true)
          this.#ground.records.deadLetters.close(letter, letter.givenUp === null ? null : 'repaired');
      this.#putAside(job, vector, partitionOf);
      const isGiven = this.#refusedBy(job).length === 0;
      for (const life of ungivenLives(vector, isGiven ? given : given.filter((of) => of.region === region)))
        awaitUncounted(this.#tables, life);
      for (const entry of vector) this.#raiseOne(entry);
      for (const origin of new Set(vector.map((entry) => entry.region)))
        if (origin !== region) this.#endOlderLives(origin);
      for (const beat of beats) this.#settleBeat(beat);
      const { records } = this.#ground;
      records.setFloors({ ...records.floors, floorMs: Math.max(records.floors.floorMs, floorMs) });
      if (this.#refusedBy(job).length === 0) {
        this.#awaitNoMore(given);
        for (const past of whole) raiseWhole(this.#tables.whole, past);
      }
      this.#forgetRefused(job);
    });
    return true;
  }

  /** As many of the oldest as one raise reads. */
  #lookedAt(passed: readonly Letter[]): readonly Letter[] {
    const oldestFirst = passed.toSorted((a, b) => Number(a.lsn > b.lsn) - Number(a.lsn < b.lsn));
    const sizes = oldestFirst.map(({ collection, key, delta }) => {
      const stateBytes = this.#stateOf({ collection, key }).length;
      return { collection, key, deltaBytes: delta.length, stateBytes };
    });
    return oldestFirst.slice(0, lookedAt(sizes));
  }

  #stateOf(id: RecordId): Uint8Array {
    return this.#tables.records.get(nameOf(id))?.state ?? nothing;
  }

  /** What a later life gives holds what the ones before it would have given. */
  #awaitNoMore(given: readonly Life[]): void {
    const { awaited } = this.#tables;
    for (const [name, { region, incarnation }] of awaited.keyed()) {
      const past = given.find((life) => life.region === region);
      if (past !== undefined && incarnation.counter <= past.incarnation.counter) awaited.delete(name);
    }
  }

  /** In a transaction. */
  empty(): void {
    const { awaited, whole } = this.#tables;
    for (const table of [this.#ahead, this.#horizon, this.#refused, awaited, whole]) table.clear();
  }

  #requireOpenDonor(job: number): void {
    const donor = this.#ground.jobs.donorOf(job);
    if (donor === null || !this.#ground.records.isClosed(donor)) return;
    throw new ReplicationError('peer-retired', `${donor} was retired: nothing is taken from it any more`, {
      retriable: false,
    });
  }

  #read(): Standing {
    const { database, beats, slots } = this.#ground;
    const rows = this.#rows();
    const reached = (lsnOf: (row: PositionRow) => Lsn): Vector =>
      rows.map((row) => {
        const { origin: region, incarnation, partition } = row;
        return { region, incarnation, partition, lsn: lsnOf(row) };
      });
    const { newest } = beats;
    return {
      settled: reached(({ settled }) => settled),
      applied: reached(({ applied }) => applied),
      ahead: [...this.#ahead.values()],
      whole: wholePasts(this.#tables),
      horizon: [...this.#horizon.values()],
      floorMs: this.#ground.records.floors.floorMs,
      insertLsn: database.wal.insert,
      beat: newest && { lsn: newest.lsn, atMs: newest.atMs },
      beats: settledBeats(rows.filter((row) => !this.#ground.records.isAwaited(row))),
      slot: slots.current,
      isEmpty: this.#tables.records.size === 0,
      refill: this.#ground.refill?.() ?? 'none',
      readAtMs: database.nowMs(),
    };
  }

  #rows(): readonly PositionRow[] {
    return this.#ground.records.allPositions();
  }

  #passed(vector: Vector): readonly Letter[] {
    return this.#ground.records.deadLetters
      .all()
      .filter((letter) => vector.some((entry) => isOf(letter, entry) && letter.lsn <= entry.lsn));
  }

  /** In a transaction. */
  #forgetRefused(job: number): void {
    for (const each of this.#refusedBy(job)) this.#refused.delete(`${job} ${nameOf(each)}`);
  }

  #refusedBy(job: number): readonly RefusedState[] {
    return [...this.#refused.values()].filter((refused) => refused.job === job);
  }

  #raiseOne(entry: VectorEntry): void {
    const { positions } = this.#tables;
    const rows = positions.get(entry.region) ?? [];
    const found = rows.find((row) => isOf(row, entry));
    const row = found ?? opened(entry);
    const applied = row.applied < entry.lsn ? entry.lsn : row.applied;
    const others = rows.filter((each) => each !== found);
    positions.put(entry.region, [...others, { ...row, applied }].toSorted(inOrder));
    this.#ground.records.resettle(row);
  }

  #endOlderLives(region: RegionId): void {
    const { positions, ended } = this.#tables;
    const rows = positions.get(region) ?? [];
    for (const { incarnation, partition, applied } of rows) {
      const isOver = rows.some(
        (row) => row.partition === partition && row.incarnation.counter > incarnation.counter,
      );
      const entry = { region, incarnation, partition, lsn: applied };
      if (isOver && ended.get(placeOf(entry)) === undefined) ended.put(placeOf(entry), entry);
    }
  }

  #settleBeat({ region, incarnation, beat }: BeatOf): void {
    const { positions } = this.#tables;
    const rows = positions.get(region) ?? [];
    const isOfLife = (row: PositionRow): boolean =>
      sameIncarnation(row.incarnation, incarnation) && beat.end <= row.applied;
    for (const row of rows)
      if (isOfLife(row) && row.settled < row.applied) this.#ground.records.noteBeat(row, beat);
    const isPassed = (row: PositionRow): boolean =>
      isOfLife(row) && beat.end <= row.settled && (row.beat === null || row.beat.number < beat.number);
    if (!rows.some(isPassed)) return;
    positions.put(
      region,
      rows.map((row) => (isPassed(row) ? { ...row, beat } : row)),
    );
  }

  #putAside(job: number, vector: Vector, partitionOf: RaiseTransaction['partitionOf']): void {
    const donor = this.#ground.jobs.donorOf(job);
    const rows = this.#rows();
    const reached = vector.map((entry) => ({
      entry,
      applied: rows.find((row) => isOf(row, entry))?.applied ?? 0n,
    }));
    for (const refused of this.#refusedBy(job))
      for (const place of refusedPlaces(reached, { partition: partitionOf(refused), donor }))
        this.#putOneAside(place, refused);
  }

  #putOneAside(place: VectorEntry, refused: RefusedState): void {
    const { region: origin, incarnation, partition, lsn } = place;
    const { collection, key, state: delta, cause, detail, stampMs } = refused;
    const { deadLetters } = this.#ground.records;
    const there = deadLetters.all().filter((letter) => isOf(letter, place));
    const isKept = there.some(
      (letter) =>
        letter.index < 0 && nameOf(letter) === nameOf(refused) && Buffer.compare(letter.delta, delta) === 0,
    );
    if (isKept) return;
    const least = there
      .filter((letter) => letter.lsn === lsn)
      .reduce((sofar, letter) => Math.min(sofar, letter.index), 0);
    const index = least - 1;
    const beatBefore = this.#ground.records.newestBeat({ origin, incarnation, partition });
    const named = { collection, key, delta, cause, detail, stampMs };
    deadLetters.putAside({ origin, incarnation, partition, lsn, index, ...named, beatBefore });
  }
}

type Placed = Pick<PositionRow, 'origin' | 'incarnation' | 'partition'>;

function isOf(row: Placed, { region, incarnation, partition }: VectorEntry): boolean {
  return (
    row.origin === region && row.partition === partition && sameIncarnation(row.incarnation, incarnation)
  );
}

function opened({ region: origin, incarnation, partition }: VectorEntry): PositionRow {
  return { origin, incarnation, partition, applied: 0n, settled: 0n, beat: null, nextOffset: 0n };
}

/**
 * One partition of one origin's log on its way into the database: where it stands and what waits. What needs no
 * transaction it does by itself: it drops what is old, opens a position, reads again, and stops at a gap where everyone
 * can see it (I3). The rest is handed out to be applied together with other partitions. After a transaction that
 * failed or was fenced it reads its row, which is the truth, and asks to be tried alone, so that its trouble never
 * stops another partition. Nothing here gives up or skips.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError, assert } from '../errors.ts';
import type { StartRecord } from '../log/log-record.ts';
import type { RecordReach } from '../ports/change-feed.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { ApplyOutcome, PositionMove, PositionRow, RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { VectorEntry } from '../ports/vector.ts';
import { collect } from './collect.ts';
import type { Collected, QueuedRecord, Room } from './collect.ts';
import { newestPosition } from './positions.ts';
import { isOpen, isPassed, judge, lookedAgain, looksAgain, passOver, readingOf, reread } from './reading.ts';
import type { Reading } from './reading.ts';

/** A position is about to be opened at a start. */
export interface Opening {
  readonly origin: RegionId;
  readonly start: StartRecord;
  /** Where the incarnation that was read before has ended (F of P9); `null`: none was. */
  readonly closed: VectorEntry | null;
}

export interface PartitionEvents {
  /** Resolves when whatever has to be known of it is stored; only then the position is opened. */
  readonly onOpen: (opening: Opening) => Promise<void>;
  readonly onGap: (origin: RegionId, partition: number, cause: string) => void;
}

export interface PartitionQueueOptions {
  readonly origin: RegionId;
  readonly partition: number;
  readonly position: PositionRow | null;
  readonly store: Pick<RecordStore, 'positions'>;
  /** Opens the position at a start. */
  readonly open: (row: PositionRow) => Promise<void>;
  /** Reads the partition once more from an offset, or from its beginning; resolves with its end. */
  readonly rewind: (from?: bigint) => Promise<bigint>;
  /** What it keeps, beside one record, while it waits for room for dead letters. */
  readonly maxWaitingBytes: number;
  readonly timer: Timer;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly events: PartitionEvents;
  /** Something left the queue. */
  readonly onDrained: () => void;
  /** There may be something to apply. */
  readonly onReady: () => void;
}

/** What one transaction is to carry of a partition. */
export interface Taken {
  readonly queue: PartitionQueue;
  readonly collected: Collected;
  readonly move: PositionMove;
  /** Of the oldest of it, by the monotonic clock. */
  readonly arrivedMs: number;
}

/** How far the reading is to be trusted. */
type Standing =
  | { readonly kind: 'sure' }
  /** A transaction ended otherwise than it should; the row has to be read. */
  | { readonly kind: 'doubtful' }
  /** The row has been read, and no transaction has gone through since. */
  | { readonly kind: 'alone' };

export class PartitionQueue {
  readonly #options: PartitionQueueOptions;
  #reading: Reading;
  #standing: Standing = { kind: 'sure' };
  #queue: QueuedRecord[] = [];
  #queuedBytes = 0;
  #failures = 0;
  #lacksRoom = false;
  /** Offset of the first record that came and was not kept; neither is anything that comes after it. */
  #leftOutFrom: bigint | null = null;
  /** The furthest end of an interval that came, of the incarnation that is read. */
  #seenTo = 0n;
  #busy: Promise<void> | null = null;
  /** When its end was last asked for. Monotonic. */
  #endAskedMs = -Infinity;
  /** The row of a partition that stands may have been raised since it was read. */
  #mayGoOn = false;

  constructor(options: PartitionQueueOptions) {
    this.#options = options;
    this.#reading = readingOf(options.position);
  }

  get reading(): Reading {
    return this.#reading;
  }

  /** While it is read once more: what lies before the position, which is nearly all. */
  get passes(): ((reach: RecordReach) => boolean) | null {
    const reading = this.#reading;
    return reading.kind === 'rereading' ? (reach) => isPassed(reading, reach) : null;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Its next transaction must carry no other partition. */
  get isAlone(): boolean {
    return this.#standing.kind === 'alone';
  }

  /** Whether what comes next would put aside more of the origin's changes than are kept (I12). */
  get lacksRoom(): boolean {
    return this.#lacksRoom;
  }

  offer(records: readonly QueuedRecord[]): void {
    for (const record of records) {
      if (this.#leftOutFrom !== null) {
        this.#see(record);
        continue;
      }
      this.#queue.push(record);
      this.#queuedBytes += record.byteCount;
    }
    if (this.#lacksRoom) this.#leaveOut();
    this.#options.onReady();
  }

  /** Resolves when nothing of its own is under way; call after the signal is aborted. */
  async settle(): Promise<void> {
    await this.#busy;
  }

  /** Works off what needs no transaction, and says whether what comes then waits for one. */
  advance(): boolean {
    while (this.#busy === null) {
      if (this.#mayGoOn) {
        this.#start(() => this.#goOn());
        return false;
      }
      const head = this.#queue[0];
      if (head === undefined) {
        if (this.#leftOutFrom === null) return false;
        this.#start(() => this.#goBack());
      } else if (this.#standing.kind === 'doubtful') this.#start(() => this.#reload());
      else if (this.#step(head)) return true;
    }
    return false;
  }

  /** After `advance` said so; `null` where nothing fits into the room. */
  take(room: Room): Taken | null {
    const reading = this.#reading;
    assert(isOpen(reading) && this.#busy === null, 'only an open partition applies');
    const collected = collect(reading, this.#queue, room);
    if (collected === null) return null;
    const { applied, beats, nextOffset } = collected;
    const { incarnation, applied: expected } = reading;
    const { partition } = this.#options;
    const arrivedMs = this.#queue[0]?.arrivedMs ?? 0;
    return {
      queue: this,
      arrivedMs,
      collected,
      move: { incarnation, partition, expected, applied, beat: beats.at(-1) ?? null, nextOffset },
    };
  }

  /** The transaction that carried this is committed. */
  accept(collected: Collected): void {
    this.#reading = collected.reading;
    this.#standing = { kind: 'sure' };
    this.#lacksRoom = false;
    this.#failures = 0;
    for (const entry of this.#queue.slice(0, collected.consumed)) this.#see(entry);
    this.#consume(collected.consumed);
    // Nobody else would look at it again: nothing waits, and nothing more may come.
    if (this.#queue.length === 0 && !this.#options.signal.aborted) this.advance();
  }

  /** The transaction did not go through. Who was alone in it rests first. */
  retry(why: 'failed' | Exclude<ApplyOutcome, 'applied'>): void {
    const wasAlone = this.isAlone;
    if (wasAlone && why === 'full') this.#waitForRoom();
    else this.#lacksRoom = false;
    this.#standing = { kind: 'doubtful' };
    if (wasAlone) this.#start(() => this.#rest());
  }

  /** A transfer may have raised the position of a partition that stands. Nobody else would look, so it is looked until it is known. */
  recheck(): void {
    if (!this.#isStanding) return;
    this.#mayGoOn = true;
    this.advance();
  }

  get #isStanding(): boolean {
    return this.#reading.kind === 'gap' || this.#reading.kind === 'unopened';
  }

  #waitForRoom(): void {
    if (!this.#lacksRoom)
      this.#options.logger.error(
        this.#where(),
        'the dead letters of the origin are full, so the partition waits',
      );
    this.#lacksRoom = true;
    this.#leaveOut();
    this.#options.onDrained();
  }

  /** Keeps the first of what is queued, which is what is tried again; the rest is in the log (0063). */
  #leaveOut(): void {
    while (this.#queue.length > 1 && this.#queuedBytes > this.#options.maxWaitingBytes) {
      const [last] = this.#queue.splice(-1);
      assert(last !== undefined, 'a queue of two has a last one');
      this.#queuedBytes -= last.byteCount;
      this.#leftOutFrom = last.offset;
      this.#see(last);
    }
  }

  #step(head: QueuedRecord): boolean {
    this.#see(head);
    if (looksAgain(this.#reading, this.#options.timer.monotonicMs() - this.#endAskedMs)) {
      this.#start(() => this.#lookAgain(head.offset));
      return false;
    }
    const step = judge(this.#reading, head.record, head.offset);
    switch (step.kind) {
      case 'drop':
        this.#reading = passOver(this.#reading, head.offset);
        this.#consume(1);
        return false;
      case 'open':
        this.#start(() => this.#open(step.start, head.offset));
        return false;
      case 'apply':
        return true;
      case 'reread':
        this.#start(() => this.#reread());
        return false;
      case 'gap':
        this.#stop(step.reading);
        return false;
    }
  }

  #see({ record }: QueuedRecord): void {
    const { incarnation } = this.#reading.kind === 'unopened' ? { incarnation: null } : this.#reading;
    if (record.kind !== 'changes' || incarnation === null) return;
    if (sameIncarnation(record.incarnation, incarnation) && record.to > this.#seenTo)
      this.#seenTo = record.to;
  }

  /** Runs beside the other partitions; what fails is found again at the head of the queue. */
  #start(work: () => Promise<void>): void {
    const { logger, signal, onReady } = this.#options;
    const run = async (): Promise<void> => {
      try {
        await work();
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        logger.warn({ err: reason, ...this.#where() }, 'the applier waits');
        await this.#rest();
      }
      this.#busy = null;
      if (!signal.aborted) onReady();
    };
    this.#busy = run();
  }

  async #rest(): Promise<void> {
    const { timer, signal } = this.#options;
    await pause(timer, backoffMs(this.#failures++), signal);
  }

  async #open(start: StartRecord, offset: bigint): Promise<void> {
    const { origin, partition, open, logger, events } = this.#options;
    const { incarnation, at } = start;
    const closed = this.#closed();
    const isShort = closed !== null && isOpen(this.#reading) && this.#reading.applied < closed.lsn;
    if (isShort) events.onGap(origin, partition, 'missing-interval');
    await events.onOpen({ origin, start, closed });
    await open({
      origin,
      incarnation,
      partition,
      applied: at,
      settled: at,
      beat: null,
      nextOffset: offset + 1n,
    });
    await this.#read();
    this.#failures = 0;
    this.#consume(1);
    logger.info({ ...this.#where(), at: String(at) }, 'position opened');
  }

  #closed(): VectorEntry | null {
    const reading = this.#reading;
    if (!isOpen(reading)) return null;
    const { origin: region, partition } = this.#options;
    const { incarnation, applied } = reading;
    return { region, incarnation, partition, lsn: applied > this.#seenTo ? applied : this.#seenTo };
  }

  /** What is queued was read before the rewind and comes again after it. */
  async #rewound(from?: bigint): Promise<bigint> {
    const end = await this.#options.rewind(from);
    this.#endAskedMs = this.#options.timer.monotonicMs();
    this.#failures = 0;
    this.#leftOutFrom = null;
    this.#consume(this.#queue.length);
    return end;
  }

  async #lookAgain(from: bigint): Promise<void> {
    this.#reading = lookedAgain(this.#reading, await this.#rewound(from));
  }

  async #reread(): Promise<void> {
    const until = await this.#rewound();
    this.#reading = reread(this.#reading, until);
    this.#options.logger.warn(
      { ...this.#where(), until: String(until) },
      'an interval is missing; reading again',
    );
  }

  /** All that was kept is done with, so what was left out may come again, and everything after it. */
  async #goBack(): Promise<void> {
    const from = this.#leftOutFrom;
    assert(from !== null && this.#queue.length === 0, 'a partition goes back once it has nothing more');
    await this.#rewound(from);
    this.#lacksRoom = false;
    this.#options.logger.info({ ...this.#where(), from: String(from) }, 'what found no room is read again');
  }

  #stop(reading: Reading & { readonly kind: 'gap' }): void {
    const { origin, partition, logger, events } = this.#options;
    this.#reading = reading;
    this.#consume(1);
    const { cause, applied, resumesAt } = reading;
    const places = { applied: String(applied), resumesAt: String(resumesAt) };
    logger.error({ ...this.#where(), cause, ...places }, 'gap');
    events.onGap(origin, partition, cause);
  }

  async #goOn(): Promise<void> {
    const { store, origin, partition } = this.#options;
    const before = this.#reading;
    this.#mayGoOn = false;
    if (!this.#isStanding) return;
    const rows = await store.positions(origin).catch((reason: unknown) => {
      this.#mayGoOn = true;
      throw reason;
    });
    const row = newestPosition(rows, partition);
    const isSame = isOpen(before) && row !== null && sameIncarnation(before.incarnation, row.incarnation);
    if (row === null || (isSame && row.applied <= before.applied)) return;
    if (!isSame) this.#seenTo = 0n;
    this.#reading = readingOf(row);
    this.#options.logger.info({ ...this.#where(), applied: String(row.applied) }, 'reading goes on');
  }

  async #reload(): Promise<void> {
    await this.#read();
    this.#standing = { kind: 'alone' };
  }

  /** What lies below the row in the queue is dropped when its turn comes. */
  async #read(): Promise<void> {
    const { origin, partition, store } = this.#options;
    const row = newestPosition(await store.positions(origin), partition);
    if (row === null) return;
    const before = this.#reading;
    const isSame = isOpen(before) && sameIncarnation(before.incarnation, row.incarnation);
    // In a database that was set back it may be an earlier life, of which nothing was seen that it does not hold.
    if (!isSame) this.#seenTo = 0n;
    this.#reading = isSame ? { ...before, applied: row.applied } : readingOf(row);
  }

  #consume(count: number): void {
    for (const { byteCount } of this.#queue.splice(0, count)) this.#queuedBytes -= byteCount;
    this.#options.onDrained();
  }

  #where() {
    return { origin: this.#options.origin, partition: this.#options.partition };
  }
}

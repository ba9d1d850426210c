/**
 * One subscription to one topic of a peer's log, kept alive for ever: whatever happens to the link or the server, it
 * opens a new reader after a short, bounded pause and goes on where it was. A place at which nothing can lie (a log that
 * was made anew, records that retention has removed) is told in the log and read on from where the log goes on; the
 * intervals in the records tell what that means (P2). Within a partition it hands out each offset once and in order,
 * save after `rewind` or a log made anew. One question is under way at a time, and none while too much is unread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../../errors.ts';
import type { ReplicationError } from '../../errors.ts';
import type { FeedBatch, FeedRecord, FeedSubscription } from '../../ports/change-feed.ts';
import type { Logger } from '../../ports/logger.ts';
import { BatchQueue } from '../batch-queue.ts';
import { rewoundTo } from '../rewound.ts';
import { mostAnswerBytes, nextAnswerBytes } from './answer-size.ts';
import { unavailable } from './log-connection.ts';
import { LogReader } from './log-reader.ts';
import type { Found, PlacedRecord, ReaderOptions } from './log-reader.ts';

export interface SubscriptionOptions extends ReaderOptions {
  /** Where each partition starts; `null`: at the end that the topic has when it is first reached. */
  readonly offsets: readonly bigint[] | null;
  /** The one partition that is read; all where it is absent. */
  readonly only?: number;
  readonly maxUnreadBytes: number;
  readonly logger: Logger;
}

interface Rewind {
  readonly partition: number;
  readonly from: bigint | undefined;
  readonly resolve: (end: bigint) => void;
  readonly reject: (cause: Error) => void;
}

/** Where no record will ever lie. */
const beyondAll = 2n ** 63n - 1n;
const firstPauseMs = 50;
const longestPauseMs = 2_000;

export class LogSubscription implements FeedSubscription {
  readonly #options: SubscriptionOptions;
  readonly #queue: BatchQueue;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  /** For each partition the least offset that is to be handed out. */
  #wanted: bigint[];
  /** Where to look from; `null`: not known before the topic has been reached. */
  #scanFrom: bigint | null;
  #rewinds: Rewind[] = [];
  #onRewind: () => void = () => undefined;
  #reader: LogReader | null = null;
  #connected = false;
  /** Whether the reader has read: that it was let in is not enough for failures to be over. */
  #hasRead = false;
  #failures = 0;
  #answerBytes = mostAnswerBytes;

  constructor(options: SubscriptionOptions) {
    const { offsets, partitionCount } = options;
    this.#options = options;
    this.#wanted = this.#wantedFrom(offsets ?? Array.from({ length: partitionCount }, () => 0n));
    this.#scanFrom = offsets === null ? null : least(offsets);
    this.#queue = new BatchQueue(options.maxUnreadBytes);
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#connected;
  }

  next(): Promise<FeedBatch | null> {
    return this.#queue.take();
  }

  rewind(partition: number, from?: bigint): Promise<bigint> {
    assert(partition < this.#wanted.length, `partition ${partition} of ${this.#wanted.length}`);
    if (!this.#connected || this.#closing.signal.aborted)
      return Promise.reject(unavailable('the feed is not connected'));
    return new Promise((resolve, reject) => {
      this.#rewinds.push({ partition, from, resolve, reject });
      this.#onRewind();
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue.close();
    this.#reader?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const reader = new LogReader(this.#options);
      this.#reader = reader;
      const cause = await this.#serve(reader).catch(unavailable);
      this.#reader = null;
      reader.close();
      this.#lost(cause);
      await this.#pause();
    }
  }

  /** Ends only by a rejection, or once closed. */
  async #serve(reader: LogReader): Promise<ReplicationError> {
    const { end } = await reader.open();
    this.#scanFrom ??= end;
    this.#connected = true;
    while (!this.#closing.signal.aborted) {
      const scanFrom = this.#scanFrom;
      const found = await this.#read(reader, scanFrom);
      this.#succeeded();
      this.#scanFrom = this.#take(found, scanFrom);
      await this.#room(reader);
    }
    return unavailable('the subscription is closed');
  }

  async #read(reader: LogReader, scanFrom: bigint): Promise<Found> {
    const askedMs = performance.now();
    let tookMs: number | null = null;
    try {
      const answerBytes = this.#answerBytes;
      const found = await reader.read({ scanFrom, offsets: this.#wanted, answerBytes });
      tookMs = performance.now() - askedMs;
      return found;
    } finally {
      this.#answerBytes = nextAnswerBytes(this.#answerBytes, tookMs);
    }
  }

  /** Returns where to look from next. */
  #take(found: Found, scanFrom: bigint): bigint {
    if (found.kind === 'records') {
      for (const [partition, records] of byPartition(found.records)) {
        this.#wanted[partition] = (records.at(-1)?.offset ?? -1n) + 1n;
        this.#queue.push({ partition, records });
      }
      return found.scannedTo;
    }
    const { resumesAt } = found;
    const { origin, topic, logger } = this.#options;
    logger.warn(
      { origin, topic, offset: String(scanFrom), resumesAt: String(resumesAt) },
      'nothing can lie at the offset; the log is read from where it goes on',
    );
    if (resumesAt < scanFrom) this.#wanted = this.#wantedFrom(this.#wanted.map(() => resumesAt));
    return resumesAt;
  }

  #wantedFrom(offsets: readonly bigint[]): bigint[] {
    const { only } = this.#options;
    return offsets.map((offset, partition) =>
      only === undefined || partition === only ? offset : beyondAll,
    );
  }

  /** Resolves when more may be read; meanwhile partitions are taken back where that is wanted. */
  async #room(reader: LogReader): Promise<void> {
    for (;;) {
      const asked = new Promise<'rewind'>((resolve) => {
        this.#onRewind = () => resolve('rewind');
      });
      await this.#rewindAll(reader);
      const first = await Promise.race([this.#queue.room(), asked]);
      if (first !== 'rewind') return;
    }
  }

  async #rewindAll(reader: LogReader): Promise<void> {
    for (let rewind = this.#rewinds[0]; rewind !== undefined; rewind = this.#rewinds[0]) {
      const { partition } = rewind;
      const { beginning, partitionEnd } = await reader.edges(partition);
      this.#rewinds.shift();
      this.#queue.drop(partition);
      const wanted = rewoundTo({ beginning, end: partitionEnd }, rewind.from);
      this.#wanted[partition] = wanted;
      this.#scanFrom = least([wanted, this.#scanFrom ?? wanted]);
      rewind.resolve(partitionEnd);
    }
  }

  #succeeded(): void {
    if (this.#hasRead) return;
    this.#hasRead = true;
    this.#failures = 0;
    const { origin, topic, logger } = this.#options;
    logger.info({ origin, topic }, 'the feed is connected');
  }

  #lost(cause: ReplicationError): void {
    this.#connected = false;
    this.#hasRead = false;
    for (const rewind of this.#rewinds.splice(0)) rewind.reject(cause);
    if (this.#closing.signal.aborted) return;
    const { origin, topic, logger } = this.#options;
    const write = this.#failures === 0 ? 'warn' : 'debug';
    this.#failures++;
    logger[write]({ origin, topic, cause: cause.message }, 'the feed is not connected and tries again');
  }

  async #pause(): Promise<void> {
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures, 10));
    const { signal } = this.#closing;
    await Promise.allSettled([delay(pauseMs, undefined, { signal })]);
  }
}

function byPartition(records: readonly PlacedRecord[]): ReadonlyMap<number, readonly FeedRecord[]> {
  const found = new Map<number, FeedRecord[]>();
  for (const { partition, offset, bytes } of records) {
    const own = found.get(partition) ?? [];
    own.push({ offset, bytes });
    found.set(partition, own);
  }
  return found;
}

function least(offsets: readonly bigint[]): bigint {
  return offsets.reduce((low, offset) => (offset < low ? offset : low));
}

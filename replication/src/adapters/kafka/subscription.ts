/**
 * One subscription to one topic of a peer, kept alive for ever: whatever happens to the link, the brokers or the
 * topic, it opens a new reader after a short, bounded pause and goes on at the next offset that it has not handed
 * out. A partition that has no leader, or one that cannot be reached, holds up no other. An offset at which nothing can
 * lie (truncated or re-created topic, retention) starts the partition anew at its beginning and is never skipped over;
 * the intervals in the records tell what that means (P2). Within a partition it hands out each offset once and in order,
 * save after such a restart or `rewind`. Fetching stops while too much is unread.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { assert } from '../../errors.ts';
import type { FeedBatch, FeedSubscription } from '../../ports/change-feed.ts';
import { BatchQueue } from '../batch-queue.ts';
import { rewoundTo } from '../rewound.ts';
import { Followers } from './followers.ts';
import { unavailable } from './kafka-connection.ts';
import { TopicReader } from './topic-reader.ts';
import type { FetchedPartition, ReaderOptions, Wanted } from './topic-reader.ts';

export interface SubscriptionOptions extends Omit<ReaderOptions, 'attempt'> {
  /** Where to start; `null` where the edge is to be asked for. One for each partition. */
  readonly offsets: readonly (bigint | null)[];
  /** Where a partition starts that has no offset, or one at which nothing can lie. */
  readonly edge: 'beginning' | 'end';
  /** The one partition that is read; by default all of them. */
  readonly only?: number;
  readonly maxUnreadBytes: number;
  /** Records arrived that their producer made at this time of its clock. */
  readonly onArrived?: (stampedMs: number) => void;
  /** Other partitions than before cannot be read while the rest can, or none any more. */
  readonly onUnreachable?: (partitions: readonly number[]) => void;
}

/** Where a partition stands. A fetch that was under way when `turn` changed is void. */
interface Cursor {
  offset: bigint | null;
  turn: number;
}

/** What was asked for, and at which turn of its partition. */
interface Asked extends Wanted {
  readonly turn: number;
}

interface Following {
  readonly reader: TopicReader;
  readonly leader: number;
  readonly followers: Followers;
}

const firstPauseMs = 50;
const longestPauseMs = 2_000;

export class KafkaSubscription implements FeedSubscription {
  readonly #options: SubscriptionOptions;
  readonly #cursors: readonly Cursor[];
  readonly #queue: BatchQueue;
  /** Partitions that are to be read. */
  readonly #wanted: readonly number[];
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #reader: TopicReader | null = null;
  /** Partitions that were told of last. */
  #unreachable: readonly number[] = [];
  #connected = false;
  #failures = 0;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#cursors = options.offsets.map((offset) => ({ offset, turn: 0 }));
    this.#wanted = options.offsets
      .map((_, index) => index)
      .filter((partition) => options.only === undefined || partition === options.only);
    this.#queue = new BatchQueue(options.maxUnreadBytes);
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#connected;
  }

  next(): Promise<FeedBatch | null> {
    return this.#queue.take();
  }

  async rewind(partition: number, from?: bigint): Promise<bigint> {
    const reader = this.#reader;
    if (reader === null || !this.#connected) throw unavailable('the feed is not connected');
    const cursor = this.#cursor(partition);
    const [beginning, end] = await Promise.all([
      reader.edge(partition, 'beginning'),
      reader.edge(partition, 'end'),
    ]);
    cursor.turn++;
    cursor.offset = rewoundTo({ beginning, end }, from);
    this.#queue.drop(partition);
    return end;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue.close();
    this.#reader?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#closing.signal.aborted; attempt++) {
      const reader = new TopicReader({ ...this.#options, attempt });
      this.#reader = reader;
      try {
        await this.#serve(reader);
      } catch (error) {
        this.#lost(error);
      } finally {
        this.#reader = null;
        reader.close();
        this.#unreachable = [];
        this.#options.onUnreachable?.([]);
      }
      await pause(this.#failures, this.#closing.signal);
    }
  }

  /**
   * Reads what can be read, and looks again and again for who leads the rest. Ends only by a rejection, once nothing can
   * be read.
   */
  async #serve(reader: TopicReader): Promise<void> {
    const followers = new Followers(this.#wanted);
    let leaders = await reader.open();
    for (let attempt = 0; ; attempt++) {
      for (const leader of followers.take(leaders)) void this.#follow({ reader, leader, followers });
      const takenMs = performance.now();
      await followers.untilMissing();
      if (performance.now() - takenMs > longestPauseMs) attempt = 0;
      await pause(attempt, followers.ended);
      if (followers.ended.aborted) throw unavailable(followers.cause);
      followers.noteMissing();
      this.#tell(followers);
      leaders = await reader.look();
    }
  }

  /** Until the leader gives nothing any more. */
  async #follow(of: Following): Promise<void> {
    const { reader, leader, followers } = of;
    try {
      while (this.#reader === reader && followers.of(leader).length > 0) {
        await this.#step(of);
        await this.#queue.room();
      }
    } catch (error) {
      followers.drop(leader, error);
    }
  }

  async #step({ reader, leader, followers }: Following): Promise<void> {
    const asked = await this.#ask(reader, followers.of(leader));
    const fetched = await reader.fetch(leader, asked);
    if (this.#reader !== reader) return;
    this.#succeeded();
    if (fetched.kind === 'out-of-range') return this.#startAnew(fetched.partition);
    for (const { partition, cause } of fetched.failed) followers.drop(leader, cause, [partition]);
    for (const found of fetched.partitions) this.#deliver(found, asked);
    followers.answered(leader, new Set(fetched.partitions.map(({ partition }) => partition)));
    this.#tell(followers);
  }

  async #ask(reader: TopicReader, partitions: readonly number[]): Promise<Asked[]> {
    const asked: Asked[] = [];
    for (const partition of partitions) {
      const cursor = this.#cursor(partition);
      cursor.offset ??= await reader.edge(partition, this.#options.edge);
      asked.push({ partition, offset: cursor.offset, turn: cursor.turn });
    }
    return asked;
  }

  #deliver(found: FetchedPartition, asked: readonly Asked[]): void {
    const { partition, next, records, stampedMs } = found;
    const cursor = this.#cursor(partition);
    const current = asked.some((one) => one.partition === partition && one.turn === cursor.turn);
    if (!current) return;
    cursor.offset = next;
    if (records.length === 0) return;
    this.#options.onArrived?.(stampedMs);
    this.#queue.push({ partition, records });
  }

  #startAnew(partition: number): void {
    const cursor = this.#cursor(partition);
    const { topic, edge, logger } = this.#options;
    logger.warn(
      { topic, partition, offset: String(cursor.offset) },
      `nothing can lie at the offset; the partition is read from its ${edge}`,
    );
    cursor.turn++;
    cursor.offset = null;
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#connected) return;
    this.#connected = true;
    this.#options.logger.info({ topic: this.#options.topic }, 'the feed is connected');
  }

  #lost(error: unknown): void {
    this.#connected = false;
    if (this.#closing.signal.aborted) return;
    const write = this.#failures === 0 ? 'warn' : 'debug';
    this.#failures++;
    const fields = {
      topic: this.#options.topic,
      cause: unavailable(error).message,
    };
    this.#options.logger[write](fields, 'the feed is not connected and tries again');
  }

  /** What was told holds until it changes. */
  #tell({ unreachable: partitions, cause }: Pick<Followers, 'unreachable' | 'cause'>): void {
    if (partitions.join() === this.#unreachable.join()) return;
    this.#unreachable = partitions;
    const { topic, logger, onUnreachable } = this.#options;
    onUnreachable?.(partitions);
    if (partitions.length === 0) return logger.info({ topic }, 'all partitions are read again');
    const fields = { topic, partitions, cause: cause === null ? 'no leader' : unavailable(cause).message };
    logger.warn(fields, 'partitions cannot be read; the others are, and these are tried again');
  }

  #cursor(partition: number): Cursor {
    const cursor = this.#cursors[partition];
    assert(cursor !== undefined, `partition ${partition} of ${this.#cursors.length}`);
    return cursor;
  }
}

async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
  await Promise.allSettled([delay(pauseMs, undefined, { signal })]);
}

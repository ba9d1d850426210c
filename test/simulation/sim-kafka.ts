/**
 * Logs as one process reaches them: its own region's to write, its peers' to read across the links. A fetch waits at
 * the broker until there is something, its answer takes one way, the next fetch another; what is on the way when the
 * link is cut is gone, and the subscription goes on from what it had handed over once it can connect again.
 */
import { MemoryChangeFeed } from '@isthmus/replication/adapters/memory/change-feed';
import type { MemorySubscription } from '@isthmus/replication/adapters/memory/change-feed';
import type { MemoryIdentityStore } from '@isthmus/replication/adapters/memory/identity-store';
import type { TopicName } from '@isthmus/replication/adapters/memory/log';
import { MemoryChangeSink } from '@isthmus/replication/adapters/memory/change-sink';
import { rewoundTo } from '@isthmus/replication/adapters/rewound';
import { ReplicationError, assert } from '@isthmus/replication/errors';
import type {
  ChangeFeed,
  FeedBatch,
  FeedRecord,
  FeedSubscription,
} from '@isthmus/replication/ports/change-feed';
import type { ChangeSink, OutgoingRecord } from '@isthmus/replication/ports/change-sink';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { Link } from './link.ts';
import type { Random } from './random.ts';
import type { ProcessWorld, RequestKind, SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';

const publishKind: RequestKind = {
  leastMs: 0.3,
  mostMs: 2,
  isPipelined: false,
  needsProcess: false,
  refused: noAnswer,
  lost: noAnswer,
};
export const logReadKind: RequestKind = { ...publishKind, leastMs: 0.2, mostMs: 1 };
const reconnectMs = 200;
const rewindTimeoutMs = 2000;
/** Fetching rests while so many batches are unread. */
const maxReady = 256;

/** A log that lies in the database is written over connections to that, which serve no server that is not proven (P1). */
export class SimChangeSink implements ChangeSink {
  readonly #inner: MemoryChangeSink;
  readonly #region: SimRegion;
  readonly #process: SimProcess;
  readonly #past: Pick<MemoryIdentityStore, 'requireProven'>;

  constructor(region: SimRegion, process: SimProcess, past: Pick<MemoryIdentityStore, 'requireProven'>) {
    this.#inner = new MemoryChangeSink(region.log);
    this.#region = region;
    this.#process = process;
    this.#past = past;
  }

  prepare(partitionCount: number): Promise<void> {
    return this.#call('prepare', () => this.#inner.prepare(partitionCount));
  }

  /** When an answer is lost, a part of the records may be all that the log holds. */
  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#call('publish', async () => {
      const { kafka, reach } = this.#region;
      const publishAll = async (taken: readonly OutgoingRecord[]): Promise<void> => {
        await this.#inner.publish(taken);
        reach.took(taken);
      };
      // One transaction of the database, where the log lies in it.
      if (this.#region.isLogInside || kafka.lossRate === 0 || !kafka.chance(kafka.lossRate))
        return publishAll(records);
      await publishAll(records.filter(() => kafka.chance(0.5)));
      throw unavailable('only a part of the records was taken');
    });
  }

  publishProgress(bytes: Uint8Array): Promise<void> {
    return this.#call('publish progress', () => this.#inner.publishProgress(bytes));
  }

  async close(): Promise<void> {}

  #call<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { kafka: server, isLogInside } = this.#region;
    const admitted = async (): Promise<T> => {
      this.#requireProven();
      return work();
    };
    return this.#process.call({
      server,
      kind: publishKind,
      name,
      work: isLogInside ? admitted : work,
    });
  }

  /** As the adapter on Postgres passes it on. */
  #requireProven(): void {
    try {
      this.#past.requireProven();
    } catch (reason) {
      throw reason instanceof ReplicationError && reason.retriable ? unavailable(reason.message) : reason;
    }
  }
}

export interface FeedWorld extends ProcessWorld {
  /** For what the clients of brokers say. */
  readonly logger: Logger;
  readonly random: Random;
  regionOf(region: RegionId): SimRegion;
  linkBetween(caller: RegionId, callee: RegionId): Link;
}

export class SimChangeFeed implements ChangeFeed {
  readonly #self: RegionId;
  readonly #process: SimProcess;
  readonly #world: FeedWorld;
  readonly #open: SimSubscription[] = [];

  constructor(self: RegionId, process: SimProcess, world: FeedWorld) {
    this.#self = self;
    this.#process = process;
    this.#world = world;
  }

  subscribe(origin: RegionId, offsets: readonly bigint[]): FeedSubscription {
    const connect = (feed: MemoryChangeFeed, at: readonly bigint[]): MemorySubscription =>
      feed.subscribe(origin, at);
    return this.#subscription(origin, connect, { topic: 'changes', offsets });
  }

  subscribeProgress(peer: RegionId): FeedSubscription {
    let kept: MemorySubscription | null = null;
    const connect = (feed: MemoryChangeFeed): MemorySubscription => (kept ??= feed.subscribeProgress(peer));
    return this.#subscription(peer, connect, { topic: 'progress', offsets: [] });
  }

  /** Of the own log, from its end on. */
  subscribeTail(self: RegionId, topic: TopicName, connect: () => MemorySubscription): FeedSubscription {
    let kept: MemorySubscription | null = null;
    return this.#subscription(self, () => (kept ??= connect()), { topic, offsets: [] });
  }

  /** Moves the cursors of what is read from this origin by so many records, as an offset that was lost would. */
  shift(origin: RegionId, byRecords: number): void {
    for (const subscription of this.#open) if (subscription.origin === origin) subscription.shift(byRecords);
  }

  #subscription(
    origin: RegionId,
    connect: (feed: MemoryChangeFeed, offsets: readonly bigint[]) => MemorySubscription,
    { topic, offsets }: { readonly topic: TopicName; readonly offsets: readonly bigint[] },
  ): SimSubscription {
    const region = this.#world.regionOf(origin);
    const feed = new MemoryChangeFeed(new Map([[origin, region.log]]), this.#world.logger);
    const subscription = new SimSubscription({
      region,
      link: this.#world.linkBetween(this.#self, origin),
      process: this.#process,
      world: this.#world,
      topic,
      connect: (at) => connect(feed, at),
      offsets,
    });
    this.#open.push(subscription);
    return subscription;
  }
}

interface SubscriptionParts {
  readonly region: SimRegion;
  readonly link: Link;
  readonly process: SimProcess;
  readonly world: FeedWorld;
  readonly topic: TopicName;
  readonly connect: (offsets: readonly bigint[]) => MemorySubscription;
  readonly offsets: readonly bigint[];
}

class SimSubscription implements FeedSubscription {
  readonly #parts: SubscriptionParts;
  /** Where to connect again: behind what was handed over. */
  readonly #offsets: bigint[];
  readonly #turns: number[] = [];
  readonly #unwatch: readonly (() => void)[];
  #inner: MemorySubscription | null = null;
  #linkEpoch = 0;
  #serverEpoch = 0;
  #isFetching = false;
  /** Something may have come while a fetch was on its way. */
  #isPoked = false;
  /** When the next fetch can be at the broker. */
  #fetchAtMs = 0;
  #isReconnecting = false;
  #isClosed = false;
  #ready: FeedBatch[] = [];
  #reader: ((batch: FeedBatch | null) => void) | null = null;

  constructor(parts: SubscriptionParts) {
    this.#parts = parts;
    this.#offsets = [...parts.offsets];
    const wake = (topic: TopicName | null): void => {
      if (topic === null || topic === parts.topic) this.#fetch();
    };
    this.#unwatch = [parts.link.watch(() => this.#fetch()), parts.region.log.watch(wake)];
    parts.process.onDeath(() => this.#forget());
    this.#reconnect();
  }

  get origin(): RegionId {
    return this.#parts.region.id;
  }

  get connected(): boolean {
    return this.#inner !== null && this.#isConnectable && !this.#parts.region.kafka.isFrozen;
  }

  next(): Promise<FeedBatch | null> {
    const batch = this.#ready.shift();
    if (batch !== undefined) {
      this.#fetch();
      return Promise.resolve(batch);
    }
    if (this.#isClosed) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** The log's end is asked for over the link; the cursor moves when the answer is here. */
  rewind(partition: number, from?: bigint): Promise<bigint> {
    const { link, region, world, process } = this.#parts;
    return new Promise((resolve, reject) => {
      const fail = (): void => process.hear(() => reject(unavailable('the feed is not connected')));
      world.scheduler.after(link.delayMs(), () => {
        const isAnswering = this.#isAlive() && !region.kafka.isFrozen;
        const log = isAnswering ? region.log.partitions('changes')?.[partition] : undefined;
        if (log === undefined) {
          world.scheduler.after(rewindTimeoutMs, fail);
          return;
        }
        const { begin: beginning, end } = log;
        world.scheduler.after(link.delayMs(), () =>
          process.hear(() => {
            this.#moveTo(partition, rewoundTo({ beginning, end }, from));
            resolve(end);
          }),
        );
      });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#forget();
    this.#ready = [];
    this.#reader?.(null);
    this.#reader = null;
  }

  shift(byRecords: number): void {
    for (const [partition, offset] of this.#offsets.entries()) {
      const moved = offset + BigInt(byRecords);
      this.#offsets[partition] = moved < 0n ? 0n : moved;
    }
    this.#ready = [];
    this.#drop();
    this.#reconnect();
  }

  /** What is on its way or unread was read before. */
  #moveTo(partition: number, offset: bigint): void {
    this.#turns[partition] = (this.#turns[partition] ?? 0) + 1;
    this.#offsets[partition] = offset;
    this.#ready = this.#ready.filter((batch) => batch.partition !== partition);
    if (this.#parts.region.log.partitions('changes') === null) this.#drop();
    else void this.#inner?.rewind(partition, offset);
    this.#fetch();
  }

  get #isConnectable(): boolean {
    const { link, region } = this.#parts;
    return !link.isCut && region.kafka.isUp;
  }

  /** The connection that it reads through still stands. */
  #isAlive(): boolean {
    const { link, region } = this.#parts;
    const stands =
      this.#isConnectable && link.epoch === this.#linkEpoch && region.kafka.epoch === this.#serverEpoch;
    if (!stands) this.#drop();
    return stands && this.#inner !== null;
  }

  /** What is read of progress goes on where it was: it has no offsets of its own. */
  #drop(): void {
    if (this.#offsets.length > 0) void this.#inner?.close();
    this.#inner = null;
  }

  #forget(): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#drop();
    this.#isClosed = true;
  }

  #reconnect(): void {
    if (this.#isReconnecting || this.#isClosed) return;
    this.#isReconnecting = true;
    const { link, region, world, connect } = this.#parts;
    world.scheduler.after(reconnectMs * 0.1 + link.delayMs(), () => {
      this.#isReconnecting = false;
      if (this.#isClosed || this.#inner !== null || !this.#isConnectable) return;
      this.#linkEpoch = link.epoch;
      this.#serverEpoch = region.kafka.epoch;
      this.#inner = connect(this.#offsets);
      this.#fetch();
    });
  }

  /** Takes what the broker has and brings it over. */
  #fetch(): void {
    const { link, region, world, process } = this.#parts;
    if (this.#isClosed || this.#ready.length >= maxReady) return;
    this.#isPoked = this.#isFetching;
    if (this.#isFetching) return;
    const waitMs = this.#fetchAtMs - world.scheduler.nowMs;
    if (waitMs > 0) return this.#fetchLater(waitMs);
    if (!this.#isAlive()) {
      if (this.#isConnectable) this.#reconnect();
      return;
    }
    if (region.kafka.isFrozen || link.isClogged || process.life === 'stopped') return this.#fetchLater(250);
    const batches: FeedBatch[] = [];
    for (let batch = this.#take(); batch !== null && batches.length < maxReady; batch = this.#take())
      batches.push(batch);
    if (batches.length === 0) return;
    this.#isFetching = true;
    const turns = [...this.#turns];
    const epoch = link.epoch;
    world.scheduler.after(link.delayMs(), () => {
      if (link.epoch === epoch) process.hear(() => this.#arrive(batches, turns));
      this.#isFetching = false;
      this.#fetchAtMs = world.scheduler.nowMs + link.delayMs();
      if (this.#isPoked) this.#fetch();
    });
  }

  #fetchLater(delayMs: number): void {
    this.#isFetching = true;
    this.#parts.world.scheduler.after(delayMs, () => {
      this.#isFetching = false;
      this.#fetch();
    });
  }

  #take(): FeedBatch | null {
    return this.#inner?.take() ?? null;
  }

  #arrive(batches: readonly FeedBatch[], turns: readonly number[]): void {
    if (this.#isClosed) return;
    for (const batch of batches) {
      const { partition } = batch;
      if ((turns[partition] ?? 0) !== (this.#turns[partition] ?? 0)) continue;
      const last: FeedRecord | undefined = batch.records.at(-1);
      assert(last !== undefined, 'a batch has a record');
      if (partition < this.#offsets.length) this.#offsets[partition] = last.offset + 1n;
      this.#hand(batch);
    }
  }

  #hand(batch: FeedBatch): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) this.#ready.push(batch);
    else reader(batch);
  }
}

function noAnswer(): ReplicationError {
  return unavailable('the log does not answer');
}

function unavailable(message: string): ReplicationError {
  return new ReplicationError('log-unavailable', message, { retriable: true });
}

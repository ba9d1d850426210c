/**
 * Logs in memory, to read: held to the same contract as the feed over Kafka. A subscription reads from the log when it
 * is asked and keeps nothing but its offsets. Where nothing can lie at an offset (a truncated or re-created topic) it
 * goes on from the partition's beginning, or end for progress, and warns; the intervals in the records tell the rest.
 */
import { assert } from '../../errors.ts';
import type { ChangeFeed, FeedBatch, FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import { rewoundTo } from '../rewound.ts';
import { type MemoryLog, type MemoryPartition, type TopicName, unavailable } from './log.ts';

const batchBytes = 256 * 1024;

export class MemoryChangeFeed implements ChangeFeed {
  readonly #logs: ReadonlyMap<RegionId, MemoryLog>;
  readonly #logger: Logger;

  constructor(logs: ReadonlyMap<RegionId, MemoryLog>, logger: Logger) {
    this.#logs = logs;
    this.#logger = logger;
  }

  subscribe(origin: RegionId, offsets: readonly bigint[]): MemorySubscription {
    const plan = { topic: 'changes', edge: 'begin', offsets, logger: this.#logger } as const;
    return new MemorySubscription(this.#logOf(origin), plan);
  }

  subscribeProgress(peer: RegionId): MemorySubscription {
    const plan = { topic: 'progress', edge: 'end', offsets: [null], logger: this.#logger } as const;
    return new MemorySubscription(this.#logOf(peer), plan);
  }

  /** Partition 0 of the changes, from its end on. */
  subscribeTail(origin: RegionId): MemorySubscription {
    const plan = { topic: 'changes', edge: 'end', offsets: [null], logger: this.#logger } as const;
    return new MemorySubscription(this.#logOf(origin), plan);
  }

  /** From their end on. */
  subscribeClaims(origin: RegionId): MemorySubscription {
    const plan = { topic: 'control', edge: 'end', offsets: [null], logger: this.#logger } as const;
    return new MemorySubscription(this.#logOf(origin), plan);
  }

  #logOf(region: RegionId): MemoryLog {
    const log = this.#logs.get(region);
    assert(log !== undefined, `no log of ${region}`);
    return log;
  }
}

interface SubscriptionPlan {
  readonly topic: TopicName;
  /** Where to go on when nothing can lie at the offset. */
  readonly edge: 'begin' | 'end';
  /** `null`: the edge, once the topic is there. */
  readonly offsets: readonly (bigint | null)[];
  readonly logger: Logger;
}

export class MemorySubscription implements FeedSubscription {
  readonly #log: MemoryLog;
  readonly #topic: TopicName;
  readonly #edge: 'begin' | 'end';
  readonly #offsets: (bigint | null)[];
  readonly #logger: Logger;
  readonly #unwatch: () => void;
  /** Some partition's end is not known yet. */
  #seeksEdges: boolean;
  #turn = 0;
  #isClosed = false;
  #wake: (() => void) | null = null;

  constructor(log: MemoryLog, { topic, edge, offsets, logger }: SubscriptionPlan) {
    this.#logger = logger;
    this.#log = log;
    this.#topic = topic;
    this.#edge = edge;
    this.#offsets = [...offsets];
    this.#seeksEdges = edge === 'end';
    this.#unwatch = log.watch(() => {
      this.#findEdges();
      this.#wakeReader();
    });
    this.#findEdges();
  }

  get connected(): boolean {
    return this.#log.partitions(this.#topic) !== null;
  }

  async next(): Promise<FeedBatch | null> {
    for (;;) {
      if (this.#isClosed) return null;
      const batch = this.take();
      if (batch !== null) return batch;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What is there now; `null`: nothing. */
  take(): FeedBatch | null {
    const partitions = this.#log.partitions(this.#topic) ?? [];
    for (let tried = 0; tried < this.#offsets.length; tried++) {
      const partition = (this.#turn + tried) % this.#offsets.length;
      const records = this.#read(partition, partitions[partition]);
      if (records.length === 0) continue;
      this.#turn = partition + 1;
      return { partition, records };
    }
    return null;
  }

  async rewind(partition: number, from?: bigint): Promise<bigint> {
    const found = this.#isClosed ? undefined : this.#log.partitions(this.#topic)?.[partition];
    if (found === undefined) throw unavailable('the feed is not connected');
    const { begin: beginning, end } = found;
    this.#offsets[partition] = rewoundTo({ beginning, end }, from);
    return end;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unwatch();
    this.#wakeReader();
  }

  #read(partition: number, log: MemoryPartition | undefined) {
    if (log === undefined) return [];
    const asked = this.#offsets[partition] ?? log[this.#edge];
    const offset = asked < log.begin || asked > log.end ? this.#startAnew(partition, log) : asked;
    const records = log.read(offset, batchBytes);
    this.#offsets[partition] = offset + BigInt(records.length);
    return records;
  }

  #startAnew(partition: number, log: MemoryPartition): bigint {
    const from = this.#edge === 'begin' ? 'beginning' : 'end';
    const fields = { topic: this.#topic, partition, offset: String(this.#offsets[partition]) };
    this.#logger.warn(fields, `nothing can lie at the offset; the partition is read from its ${from}`);
    return log[this.#edge];
  }

  /** Of an end only what comes after the log is there is of interest, and all of that. */
  #findEdges(): void {
    if (!this.#seeksEdges) return;
    const partitions = this.#log.partitions(this.#topic);
    for (const [partition, offset] of this.#offsets.entries())
      this.#offsets[partition] = offset ?? partitions?.[partition]?.end ?? null;
    this.#seeksEdges = this.#offsets.includes(null);
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

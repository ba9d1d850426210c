/**
 * Reads one topic over one connection, without a consumer group: it asks the leader of each partition for what lies
 * at an offset and says so when nothing can lie there. It keeps no offsets and retries nothing; after any rejection
 * it is closed and another one opened.
 */
import type { ReplicationError } from '../../errors.ts';
import type { FeedRecord } from '../../ports/change-feed.ts';
import { enoughBytes } from '../batch-queue.ts';
import { KafkaConnection, unavailable } from './kafka-connection.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { fetchOf } from './fetch-request.ts';
import type { FailedPartition, PartitionAnswer } from './fetch-request.ts';
import { leadersOf, openCluster } from './kafkajs-internals.ts';
import type { Cluster, OffsetRequest } from './kafkajs-internals.ts';
import { readBatches } from './record-batch-reader.ts';

export interface ReaderOptions extends KafkaConnectionOptions {
  readonly topic: string;
  readonly partitionCount: number;
  /** A fetch may wait until there is as much, for who is in no hurry; by default for anything. */
  readonly leastBytes?: number;
}

export interface Wanted {
  readonly partition: number;
  readonly offset: bigint;
}

export type Fetched =
  | {
      readonly kind: 'records';
      readonly partitions: readonly FetchedPartition[];
      /** Never all that were asked for. */
      readonly failed: readonly FailedPartition[];
    }
  | { readonly kind: 'out-of-range'; readonly partition: number };

export interface FetchedPartition {
  readonly partition: number;
  /** Where the next fetch goes on; beyond what was asked even where no record is for us. */
  readonly next: bigint;
  readonly records: readonly FeedRecord[];
  /** Producer's clock as it made the first batch of them. */
  readonly stampedMs: number;
}

/** How long a broker with nothing to tell holds a fetch. */
const fetchWaitMs = 500;
/** Compressed, so several times as much comes of it; a record larger than that comes alone. */
const fetchMaxBytes = 1024 * 1024;
const fetchMaxBytesPerPartition = 256 * 1024;

/** The partitions of each leader. */
export type Leaders = ReadonlyMap<number, readonly number[]>;

const noNode = -1;

export class TopicReader {
  readonly #topic: string;
  readonly #partitionCount: number;
  readonly #leastBytes: number;
  readonly #connection: KafkaConnection;
  readonly #cluster: Cluster;

  constructor(options: ReaderOptions) {
    this.#topic = options.topic;
    this.#partitionCount = options.partitionCount;
    this.#leastBytes = options.leastBytes ?? 1;
    this.#connection = new KafkaConnection(options);
    this.#cluster = openCluster(this.#connection.clusterOptions);
  }

  /**
   * Connects and returns the partitions of each leader; those without one are left out. Rejects with `log-unavailable`,
   * also for an absent topic, and where no partition has a leader.
   */
  async open(): Promise<Leaders> {
    await this.#connection.answered(this.#cluster.connect());
    await this.#connection.answered(this.#cluster.addMultipleTargetTopics([this.#topic]));
    const leaders = this.#leaders();
    if (leaders.size === 0) throw unavailable(`no partition of the topic ${this.#topic} has a leader`);
    return leaders;
  }

  /** As they are now; may be none. Rejects with `log-unavailable`, and is to be closed then. */
  async look(): Promise<Leaders> {
    await this.#connection.answeredSoon(this.#cluster.refreshMetadata());
    return this.#leaders();
  }

  /** The first offset that the log holds, or the one after its last. */
  async edge(partition: number, which: 'beginning' | 'end'): Promise<bigint> {
    const request = {
      topic: this.#topic,
      partitions: [{ partition }],
      fromBeginning: which === 'beginning',
    };
    const offset = await this.#offset(request);
    if (offset === null) throw unavailable(`no ${which} of partition ${partition}`);
    return offset;
  }

  /** The first offset of a record that was written then or later; `null`: there is none. */
  async offsetAt(partition: number, atMs: number): Promise<bigint | null> {
    const request = {
      topic: this.#topic,
      partitions: [{ partition }],
      fromBeginning: false,
      fromTimestamp: Math.trunc(atMs),
    };
    const offset = await this.#offset(request);
    return offset === null || offset < 0n ? null : offset;
  }

  /** Waits until the leader has enough at the offsets, at most half a second. Rejects where it gives of no partition anything. */
  async fetch(leader: number, wanted: readonly Wanted[]): Promise<Fetched> {
    const broker = await this.#connection.answered(
      this.#cluster.findBroker({ nodeId: String(leader) }),
      this.#addressOf(leader),
    );
    const exchange = fetchOf({
      topic: this.#topic,
      wanted,
      waitMs: fetchWaitMs,
      leastBytes: this.#leastBytes,
      maxBytes: fetchMaxBytes,
      maxBytesPerPartition: fetchMaxBytesPerPartition,
    });
    const answer = await this.#connection.answered(
      broker.connectionPool.send(exchange),
      broker.brokerAddress,
    );
    if (answer.kind === 'out-of-range') return answer;
    const { failed } = answer;
    if (failed[0] !== undefined && failed.length === wanted.length) throw unavailable(failed[0].cause);
    return { kind: 'records', partitions: await readPartitions(answer.partitions, wanted), failed };
  }

  close(): void {
    this.#connection.destroy();
  }

  #leaders(): Leaders {
    const { length } = this.#cluster.findTopicPartitionMetadata(this.#topic);
    if (length !== this.#partitionCount) throw this.#otherCount(length);
    return leadersOf(this.#cluster, this.#topic);
  }

  async #offset(request: OffsetRequest): Promise<bigint | null> {
    const [asked] = request.partitions;
    const [leader = noNode] =
      [...this.#leaders()].find(([, led]) => led.some((each) => each === asked?.partition)) ?? [];
    const answer = await this.#connection.answered(
      this.#cluster.fetchTopicsOffset([request]),
      this.#addressOf(leader),
    );
    const offset = answer[0]?.partitions[0]?.offset;
    return offset === undefined ? null : BigInt(offset);
  }

  #addressOf(node: number): string | undefined {
    return this.#cluster.brokerPool.brokers[node]?.brokerAddress;
  }

  #otherCount(found: number): ReplicationError {
    return unavailable(`the topic ${this.#topic} has ${found} partitions and not ${this.#partitionCount}`);
  }
}

/** A partition without a whole batch for us is left out, and so is one that comes when there is enough. */
async function readPartitions(
  found: readonly PartitionAnswer[],
  wanted: readonly Wanted[],
): Promise<FetchedPartition[]> {
  const read: FetchedPartition[] = [];
  let enough = enoughBytes;
  for (const { partition, offset } of wanted) {
    const batches = found.find((entry) => entry.partition === partition)?.batches;
    if (batches === undefined || batches.length === 0) continue;
    const { records, next, stampedMs, bytes } = await readBatches(batches, offset, enough);
    enough -= bytes;
    if (next !== null && stampedMs !== null && next > offset)
      read.push({ partition, next, records, stampedMs });
  }
  return read;
}

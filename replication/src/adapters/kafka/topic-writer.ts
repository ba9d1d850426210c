/**
 * Appends to one topic of the region's own log. An append resolves only when every in-sync replica holds all of its
 * records; when it fails, the client is thrown away and the next append builds a new one with fresh metadata, so a
 * moved leader, a restarted broker and a silent one are all left in the same way. It never retries by itself: who
 * calls knows what still matters.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { OutgoingRecord } from '../../ports/change-sink.ts';
import { KafkaConnection, unavailable } from './kafka-connection.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { leadersOf, openCluster } from './kafkajs-internals.ts';
import type { Broker, Cluster } from './kafkajs-internals.ts';
import { produce } from './produce-request.ts';
import type { PartitionBatch } from './produce-request.ts';
import { encodeBatch } from './record-batch.ts';
import { maxRecordBytes } from './topics.ts';

export type WriterOptions = Omit<KafkaConnectionOptions, 'attempt'>;

interface Client {
  readonly connection: KafkaConnection;
  readonly cluster: Cluster;
  /** By partition. */
  readonly leaders: ReadonlyMap<number, number>;
}

export class TopicWriter {
  readonly #topic: string;
  readonly #options: WriterOptions;
  /** `null`: not told yet, and none is refused. */
  #partitionCount: number | null = null;
  #client: Promise<Client> | null = null;
  #attempt = 0;
  #closed = false;

  constructor(topic: string, options: WriterOptions) {
    this.#topic = topic;
    this.#options = options;
  }

  /** From the next connection on, a topic of another count takes nothing. */
  expect(partitionCount: number): void {
    this.#partitionCount = partitionCount;
  }

  /**
   * Rejects with `log-unavailable`; then some, all or none of the records may be held. With `partition-count-mismatch`
   * where the topic has another count than is expected.
   */
  async append(records: readonly OutgoingRecord[]): Promise<void> {
    assert(!this.#closed, 'nothing is appended after close');
    const client = (this.#client ??= this.#connect());
    try {
      const [connected, batches] = await Promise.all([client, encodeBatches(records)]);
      await this.#send(connected, batches);
    } catch (error) {
      this.#discard(client);
      throw unavailable(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = null;
    if (client !== null) await destroy(client);
  }

  async #send({ connection, cluster, leaders }: Client, batches: readonly PartitionBatch[]): Promise<void> {
    const sending = [...byLeader(batches, leaders)].map(async ([leader, led]) => {
      const broker: Broker = await cluster.findBroker({ nodeId: String(leader) });
      await broker.connectionPool.send(produce(this.#topic, led));
    });
    await connection.answered(Promise.all(sending));
  }

  async #connect(): Promise<Client> {
    const connection = new KafkaConnection({
      ...this.#options,
      attempt: this.#attempt++,
    });
    const cluster = openCluster(connection.clusterOptions);
    try {
      await connection.answered(cluster.connect());
      await connection.answered(cluster.addMultipleTargetTopics([this.#topic]));
      const found = cluster.findTopicPartitionMetadata(this.#topic);
      // Of a topic that is absent or being made there may be no word yet: that has no leaders, and passes.
      if (found.length > 0) requireCount(this.#topic, found.length, this.#partitionCount ?? found.length);
      const leaders = [...leadersOf(cluster, this.#topic)].flatMap(([leader, led]) =>
        led.map((partition): [number, number] => [partition, leader]),
      );
      return { connection, cluster, leaders: new Map(leaders) };
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  #discard(client: Promise<Client>): void {
    if (this.#client === client) this.#client = null;
    void destroy(client);
  }
}

/** P2: a topic with another count has another incarnation's layout. */
export function requireCount(topic: string, found: number, wanted: number): void {
  if (found === wanted) return;
  const detail = `the topic ${topic} has ${found} partitions and not ${wanted}`;
  throw new ReplicationError('partition-count-mismatch', detail, { retriable: false });
}

async function destroy(client: Promise<Client>): Promise<void> {
  const [settled] = await Promise.allSettled([client]);
  if (settled.status === 'fulfilled') settled.value.connection.destroy();
}

/** One batch for each partition, its records in the order in which they were given. */
function encodeBatches(records: readonly OutgoingRecord[]): Promise<readonly PartitionBatch[]> {
  const byPartition = new Map<number, Uint8Array[]>();
  for (const { partition, bytes } of records) {
    assert(
      bytes.length <= maxRecordBytes,
      `a log record of ${bytes.length} bytes, at most ${maxRecordBytes}`,
    );
    const values = byPartition.get(partition);
    if (values === undefined) byPartition.set(partition, [bytes]);
    else values.push(bytes);
  }
  const nowMs = Date.now();
  const encoding = [...byPartition].map(async ([partition, values]) => ({
    partition,
    batch: await encodeBatch(values, nowMs),
  }));
  return Promise.all(encoding);
}

function byLeader(
  batches: readonly PartitionBatch[],
  leaders: ReadonlyMap<number, number>,
): ReadonlyMap<number, readonly PartitionBatch[]> {
  const led = new Map<number, PartitionBatch[]>();
  for (const batch of batches) {
    const leader = leaders.get(batch.partition);
    if (leader === undefined) throw noLeader(batch.partition);
    const others = led.get(leader);
    if (others === undefined) led.set(leader, [batch]);
    else others.push(batch);
  }
  return led;
}

function noLeader(partition: number): ReplicationError {
  return new ReplicationError('log-unavailable', `partition ${partition} of the topic has no leader`, {
    retriable: true,
  });
}

/** A log of three nodes with partitions that lie on one of them alone: what holds while that one is away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kafka, startKafka } from '@isthmus/local/kafka';
import type { Server } from '@isthmus/local/server';
import { KafkaChangeFeed } from '@isthmus/replication/adapters/kafka/change-feed';
import { KafkaChangeSink } from '@isthmus/replication/adapters/kafka/change-sink';
import { changesTopic, controlTopic, progressTopic } from '@isthmus/replication/adapters/kafka/topics';
import type { FeedSubscription } from '@isthmus/replication/ports/change-feed';
import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { firstNode, startFurtherBrokers } from '../chaos/further-brokers.ts';
import {
  fromBeginning,
  numberOf,
  partitionCount,
  publishSoon,
  recordOf,
} from './change-sink-feed.contract.ts';

const stallTimeoutMs = 2_000;
const soon = { timeout: 20_000, interval: 50 };
const ignore = () => undefined;
const warnings: object[] = [];
const logger = {
  debug: ignore,
  info: ignore,
  warn: (fields: object) => void warnings.push(fields),
  error: ignore,
};
/** Of the node that fails. */
const failing = 2;
const fallible = 1;

const regionOf = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us, ap] = [regionOf('eu'), regionOf('us'), regionOf('ap')];

describe('a log of which a node is away', () => {
  let folder: string;
  let first: Kafka;
  let others: readonly [Server, Server];
  let admin: kafkajs.Admin;
  /** What was told last of each region. */
  const unreachable = new Map<RegionId, readonly number[]>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isthmus-nodes-'));
    const beside = join(folder, 'first');
    first = await startKafka({ keepIn: beside });
    const node = (nodeId: number) => ({ nodeId, keepIn: join(folder, String(nodeId)) });
    others = await startFurtherBrokers({ first, beside, nodes: [node(failing), node(3)], progress: ignore });
    admin = new kafkajs.Kafka({ brokers: [first.brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    for (const region of [eu, us, ap]) await createTopics(region);
  }, 120_000);
  afterAll(async () => {
    await admin.disconnect();
    await Promise.all([first, ...others].map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  test('the partitions of the others are read, it is told which is not, and that one is taken up again', async () => {
    const region = eu;
    const sink = sinkOf(region);
    await publishSoon(
      sink,
      [0, 1, 2, 3].map((number) => recordOf(number)),
    );
    const before = new Follower(subscribe(region));
    await before.has([0, 1, 2, 3]);
    await others[0].kill('SIGKILL');
    await vi.waitFor(() => expect(unreachable.get(region)).toEqual([fallible]), soon);
    const during = new Follower(subscribe(region));
    await publishSoon(
      sink,
      [4, 6, 7].map((number) => recordOf(number)),
    );
    await before.has([0, 1, 2, 3, 4, 6, 7]);
    await during.has([0, 2, 3, 4, 6, 7]);
    expect([before.subscription.connected, during.subscription.connected]).toEqual([true, true]);
    await expect(before.subscription.rewind(fallible)).rejects.toMatchObject({ code: 'log-unavailable' });
    await others[0].restart();
    await publishSoon(sink, [recordOf(5)]);
    await before.has([0, 1, 2, 3, 4, 5, 6, 7]);
    await during.has([0, 1, 2, 3, 4, 5, 6, 7]);
    await vi.waitFor(() => expect(unreachable.get(region)).toEqual([]), soon);
    await Promise.all([before.close(), during.close(), sink.close()]);
  }, 90_000);

  test('a partition without a leader, of whichever topic, keeps nobody from preparing', async () => {
    await others[0].kill('SIGKILL');
    for (const region of [us, regionOf('elsewhere')]) {
      const sink = sinkOf(region);
      await vi.waitFor(() => sink.prepare(partitionCount), soon);
      await sink.publish([recordOf(0)]);
      await sink.close();
    }
    await others[0].restart();
  }, 90_000);

  test('a node that answers nothing holds up no partition of another, and is taken up again', async () => {
    const region = ap;
    const sink = sinkOf(region);
    await publishSoon(
      sink,
      [0, 1, 2, 3].map((number) => recordOf(number)),
    );
    const reading = new Follower(subscribe(region));
    await reading.has([0, 1, 2, 3]);
    await others[0].kill('SIGSTOP');
    await vi.waitFor(() => expect(unreachable.get(region)).toEqual([fallible]), soon);
    await publishSoon(sink, [recordOf(4)]);
    await reading.has([0, 1, 2, 3, 4]);
    await others[0].kill('SIGCONT');
    await publishSoon(sink, [recordOf(5)]);
    await reading.has([0, 1, 2, 3, 4, 5]);
    await Promise.all([reading.close(), sink.close()]);
  }, 90_000);

  test('topics have as many replicas as are asked for, or are not made, and it is told where they have fewer', async () => {
    const cluster = { brokers: [first.brokers] };
    const made = regionOf('made');
    warnings.length = 0;
    const tooMany = new KafkaChangeSink({ region: made, cluster, logger, replicas: 4 });
    // The node that was stopped before may still be on its way back.
    const refusal = {
      code: 'log-unavailable',
      message: expect.stringContaining('4 replicas, and 3 of the brokers are up'),
    };
    await vi.waitFor(() => expect(tooMany.prepare(partitionCount)).rejects.toMatchObject(refusal), soon);
    expect(await admin.listTopics()).not.toContain(changesTopic(made));
    const two = new KafkaChangeSink({ region: made, cluster, logger, replicas: 2 });
    await vi.waitFor(() => two.prepare(partitionCount), soon);
    const { topics } = await admin.fetchTopicMetadata({ topics: [changesTopic(made)] });
    expect(topics[0]?.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2, 2]);
    expect(warnings.filter((fields) => 'wanted' in fields)).toEqual([]);
    const unnamed = new KafkaChangeSink({ region: made, cluster, logger });
    await unnamed.prepare(partitionCount);
    await unnamed.prepare(partitionCount);
    const fewer = [changesTopic(made), progressTopic(made), controlTopic(made)];
    expect(warnings.filter((fields) => 'wanted' in fields)).toEqual([
      {
        wanted: 3,
        topics: expect.arrayContaining(fewer.map((topic) => ({ topic, replicas: 2 }))),
      },
    ]);
    await Promise.all([tooMany, two, unnamed].map((sink) => sink.close()));
  }, 60_000);

  /** One partition lies on the node that fails, and everything else on the first. */
  async function createTopics(region: RegionId): Promise<void> {
    const topic = (of: string, count: number) => ({
      topic: of,
      replicaAssignment: Array.from({ length: count }, (_, partition) => ({
        partition,
        replicas: [partition === fallible ? failing : firstNode],
      })),
    });
    const topics = [
      topic(changesTopic(region), partitionCount),
      topic(progressTopic(region), 1),
      topic(controlTopic(region), 1),
    ];
    await admin.createTopics({ topics });
  }

  function sinkOf(region: RegionId): KafkaChangeSink {
    return new KafkaChangeSink({ region, cluster: { brokers: [first.brokers] }, logger, stallTimeoutMs });
  }

  function subscribe(region: RegionId): FeedSubscription {
    const clusters = new Map([[region, { brokers: [first.brokers] }]]);
    const onUnreachable = (origin: RegionId, partitions: readonly number[]) =>
      unreachable.set(origin, partitions);
    const feed = new KafkaChangeFeed({ region, clusters, logger, stallTimeoutMs, onUnreachable });
    return feed.subscribe(region, fromBeginning());
  }
});

class Follower {
  readonly subscription: FeedSubscription;
  readonly #numbers = new Set<number>();
  readonly #reading: Promise<void>;

  constructor(subscription: FeedSubscription) {
    this.subscription = subscription;
    this.#reading = this.#read();
  }

  get numbers(): readonly number[] {
    return [...this.#numbers].toSorted((one, other) => one - other);
  }

  async has(numbers: readonly number[]): Promise<void> {
    await vi.waitFor(() => expect(this.numbers).toEqual(numbers), soon);
  }

  async close(): Promise<void> {
    await this.subscription.close();
    await this.#reading;
  }

  async #read(): Promise<void> {
    const { subscription } = this;
    for (let batch = await subscription.next(); batch !== null; batch = await subscription.next())
      for (const record of batch.records) this.#numbers.add(numberOf(record));
  }
}

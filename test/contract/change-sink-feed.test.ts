import kafkajs from 'kafkajs';
import { changesTopic, controlTopic, progressTopic } from '@isthmus/replication/adapters/kafka/topics';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { KafkaBench } from './change-sink-feed.bench.ts';
import {
  changeSinkFeedContract,
  fromBeginning,
  numberOf,
  partitionCount,
  publishSoon,
  readRecords,
  recordOf,
} from './change-sink-feed.contract.ts';
import { SocketCount } from './socket-count.ts';

changeSinkFeedContract('kafka', () => KafkaBench.open());

const mebibyte = 1024 * 1024;

describe('the log of Kafka', () => {
  let bench: KafkaBench;
  let region: RegionId;
  let sink: ChangeSink;
  beforeAll(async () => {
    bench = await KafkaBench.open();
  }, 60_000);
  beforeEach(async () => {
    region = await bench.newRegion();
    sink = bench.sinkOf(region);
    await sink.prepare(partitionCount);
    return () => sink.close();
  });
  afterAll(() => bench.close());

  test('topics have the settings that the protocol asks for', async () => {
    expect(await settingsOf(changesTopic(region))).toMatchObject({
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * 24 * 3_600_000),
    });
    expect(Number((await settingsOf(changesTopic(region)))['max.message.bytes'])).toBeGreaterThan(
      4 * mebibyte,
    );
    expect(await settingsOf(progressTopic(region))).toMatchObject({ 'retention.ms': '3600000' });
    expect(await settingsOf(controlTopic(region))).toMatchObject({ 'retention.ms': '-1' });
  });

  test.each([
    ['ahead', 48],
    ['back', -24 * 30],
  ])('a clock of this machine that was set %s holds up no publish and ages no record', async (_, hours) => {
    const shownMs = Date.now() + hours * 3_600_000;
    const arrivedMs: number[] = [];
    const onArrived = (_origin: RegionId, sentMs: number) => arrivedMs.push(sentMs);
    const feed = bench.feedOf(region, { onArrived });
    const subscription = feed.subscribe(region, fromBeginning());
    vi.useFakeTimers({ toFake: ['Date'], now: shownMs });
    try {
      await sink.publish([recordOf(1)]);
      await sink.publishProgress(Buffer.from('told'));
    } finally {
      vi.useRealTimers();
    }
    expect((await readRecords(subscription, 1))[1]?.map(numberOf)).toEqual([1]);
    await subscription.close();
    expect(Math.abs((arrivedMs[0] ?? 0) - shownMs)).toBeLessThan(60_000);
    for (const topic of [changesTopic(region), progressTopic(region), controlTopic(region)])
      expect(await settingsOf(topic)).toMatchObject({ 'message.timestamp.type': 'LogAppendTime' });
  });

  test('P2: a topic that was made again with another partition count takes nothing', async () => {
    await sink.publish([recordOf(1)]);
    await bench.dropChanges(region);
    await expect(sink.publish([recordOf(1)])).rejects.toMatchObject({ retriable: true });
    const topic = changesTopic(region);
    const again = { topic, numPartitions: 2 * partitionCount };
    await bench.admin.createTopics({ topics: [again], waitForLeaders: false });
    const refused = { code: 'partition-count-mismatch', retriable: false };
    await vi.waitFor(() => expect(sink.publish([recordOf(1)])).rejects.toMatchObject(refused), {
      timeout: 20_000,
      interval: 50,
    });
    await expect(sink.prepare(partitionCount)).rejects.toMatchObject(refused);
  }, 40_000);

  test('no consumer group is left behind', async () => {
    const subscription = bench.feedOf(region).subscribe(region, fromBeginning());
    await sink.publish([recordOf(1)]);
    await readRecords(subscription, 1);
    expect((await bench.admin.listGroups()).groups).toEqual([]);
    await subscription.close();
  });

  test('a feed that waited for its reader goes on where it was', async () => {
    const subscription = bench.feedOf(region, { maxUnreadBytes: 1_000 }).subscribe(region, fromBeginning());
    for (let number = 0; number < 200; number++) await sink.publish([recordOf(number)]);
    const partitions = await readRecords(subscription, 200);
    expect(partitions[3]?.map(numberOf)).toEqual(Array.from({ length: 50 }, (_, index) => 3 + index * 4));
    await subscription.close();
  });

  test('a batch of more records than a call takes arguments holds up nothing (I12)', async () => {
    const many = 200_000;
    await sink.publish(Array.from({ length: many }, () => ({ partition: 0, bytes: Buffer.alloc(1) })));
    await sink.publish([recordOf(1), recordOf(4)]);
    const subscription = bench.feedOf(region).subscribe(region, fromBeginning());
    const [first, second] = await readRecords(subscription, many + 2);
    expect([first?.length, second?.length]).toEqual([many + 1, 1]);
    await subscription.close();
  });

  test('a partition of which much comes at once leaves the others out for no longer than one fetch (I12)', async () => {
    const large = Array.from({ length: 7 }, () => ({ partition: 0, bytes: Buffer.alloc(4 * mebibyte) }));
    for (let round = 0; round < 4; round++) await sink.publish(large);
    await sink.publish([recordOf(1)]);
    const subscription = bench.feedOf(region, { maxUnreadBytes: 1_000 }).subscribe(region, fromBeginning());
    let before = 0;
    for (let batch = await subscription.next(); batch?.partition === 0; batch = await subscription.next())
      before += batch.records.length;
    expect(before).toBeLessThanOrEqual(14);
    await subscription.close();
  });

  test('large appends are compressed', async () => {
    const text = JSON.stringify(
      Array.from({ length: 20_000 }, (_, number) => ({ key: `things/${number}`, number })),
    );
    await sink.publish([recordOf(1)]);
    const count = new SocketCount();
    const second = bench.sinkOf(region);
    await second.publish([{ partition: 0, bytes: Buffer.from(text) }]);
    expect(count.bytesWritten).toBeLessThan(text.length / 3);
    count.close();
    await second.close();
  });

  test('I3: a place that retention has removed is not skipped over silently', async () => {
    await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
    const topic = changesTopic(region);
    await bench.admin.fetchTopicOffsets(topic);
    await bench.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    const warned = bench.warnings.length;
    const subscription = bench.feedOf(region).subscribe(region, [2n, 0n, 0n, 0n]);
    const [records] = await readRecords(subscription, 34);
    expect(records?.map(({ offset }) => offset)).toEqual([6n, 7n, 8n, 9n]);
    expect(bench.warnings.slice(warned)).toContainEqual(expect.stringContaining('nothing can lie'));
    await subscription.close();
  });

  test('a dead first bootstrap address does not matter', async () => {
    const cluster = { brokers: ['127.0.0.1:1', bench.kafka.brokers] };
    const other = bench.sinkOf(region, cluster);
    await publishSoon(other, [recordOf(1)]);
    const subscription = bench.feedOf(region, { cluster }).subscribe(region, fromBeginning());
    expect((await readRecords(subscription, 1))[1]?.map(numberOf)).toEqual([1]);
    await Promise.all([subscription.close(), other.close()]);
  });

  async function settingsOf(topic: string): Promise<Record<string, string>> {
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic };
    const { resources } = await bench.admin.describeConfigs({
      resources: [resource],
      includeSynonyms: false,
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  }
});

import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { changesTopic, controlTopic, progressTopic } from '@isthmus/replication/adapters/kafka/topics';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { KafkaBench, SocketCount } from './change-sink-feed.bench.ts';
import {
  changeSinkFeedContract,
  fromBeginning,
  noise,
  numberOf,
  partitionCount,
  publishSoon,
  readRecords,
  recordOf,
} from './change-sink-feed.contract.ts';

changeSinkFeedContract('kafka', () => KafkaBench.open());

const mebibyte = 1024 * 1024;
const soon = { timeout: 20_000, interval: 20 };

describe('the log of Kafka', () => {
  let bench: KafkaBench;
  let admin: Admin;
  let region: RegionId;
  let sink: ChangeSink;
  beforeAll(async () => {
    bench = await KafkaBench.open();
    const client = new kafkajs.Kafka({ brokers: [bench.kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    admin = client.admin();
    await admin.connect();
  }, 60_000);
  beforeEach(async () => {
    region = bench.newRegion();
    sink = bench.sinkOf(region);
    await sink.prepare(partitionCount);
    return () => sink.close();
  });
  afterAll(async () => {
    await admin.disconnect();
    await bench.close();
  });

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

  test('no consumer group is left behind', async () => {
    const subscription = bench.feedOf(region).subscribe(region, fromBeginning());
    await sink.publish([recordOf(1)]);
    await readRecords(subscription, 1);
    expect((await admin.listGroups()).groups).toEqual([]);
    await subscription.close();
  });

  test('I12: a slow reader holds back the feed', async () => {
    const total = 48;
    for (let number = 0; number < total; number++)
      await sink.publish([{ partition: number % partitionCount, bytes: noise(mebibyte) }]);
    const count = new SocketCount();
    const slow = bench.feedOf(region, { maxUnreadBytes: 2 * mebibyte }).subscribe(region, fromBeginning());
    await vi.waitFor(() => expect(count.bytesRead).toBeGreaterThan(2 * mebibyte), soon);
    count.close();
    const quick = bench.feedOf(region).subscribe(region, fromBeginning());
    await readRecords(quick, total);
    expect(count.bytesRead).toBeLessThan(8 * mebibyte);
    expect((await readRecords(slow, total)).map((records) => records.length)).toEqual([12, 12, 12, 12]);
    await Promise.all([slow.close(), quick.close()]);
  }, 30_000);

  test('a feed that waited for its reader goes on where it was', async () => {
    const subscription = bench.feedOf(region, { maxUnreadBytes: 1_000 }).subscribe(region, fromBeginning());
    for (let number = 0; number < 200; number++) await sink.publish([recordOf(number)]);
    const partitions = await readRecords(subscription, 200);
    expect(partitions[3]?.map(numberOf)).toEqual(Array.from({ length: 50 }, (_, index) => 3 + index * 4));
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

  test('I3: a re-created topic is read from its beginning', async () => {
    const subscription = bench.feedOf(region).subscribe(region, fromBeginning());
    await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
    await readRecords(subscription, 40);
    await admin.deleteTopics({ topics: [changesTopic(region)] });
    await vi.waitFor(async () => expect(await admin.listTopics()).not.toContain(changesTopic(region)), soon);
    await vi.waitFor(() => sink.prepare(partitionCount), soon);
    await publishSoon(sink, [recordOf(100)]);
    const [records] = await readRecords(subscription, 1);
    expect(records?.map(({ offset }) => offset)).toEqual([0n]);
    expect(records?.map(numberOf)).toEqual([100]);
    await subscription.close();
  }, 40_000);

  test('I3: a place that retention has removed is not skipped over silently', async () => {
    await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
    const topic = changesTopic(region);
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
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
    const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
  }
});

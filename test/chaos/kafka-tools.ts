/** What an administrator, or somebody else's program, can do to the Kafka of a region. */
import { KafkaOwnLog } from '@isthmus/replication/adapters/kafka/own-log';
import { assert } from '@isthmus/replication/errors';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import kafkajs from 'kafkajs';
import type { ChaosRegion } from './chaos-region.ts';

export interface LogEntry {
  readonly partition: number;
  readonly value: Buffer;
}

const partitionCount = 8;
const ignore = () => undefined;
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let groups = 0;

export function changesOf({ name }: ChaosRegion): string {
  return `isthmus.${name}.changes`;
}

function kafkaOf(region: ChaosRegion): kafkajs.Kafka {
  return new kafkajs.Kafka({ brokers: [region.site.brokers], logLevel: kafkajs.logLevel.NOTHING });
}

export async function withAdmin<T>(
  region: ChaosRegion,
  work: (admin: kafkajs.Admin) => Promise<T>,
): Promise<T> {
  const admin = kafkaOf(region).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Drops everything that the log of changes holds, as retention does. */
export async function forgetChanges(region: ChaosRegion): Promise<number> {
  const topic = changesOf(region);
  return withAdmin(region, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: offsets.map(({ partition, high }) => ({ partition, offset: high })),
    });
    return offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  });
}

/** The entries that the log of changes holds now, at most so many. */
export async function readLog(region: ChaosRegion, most: number): Promise<readonly LogEntry[]> {
  const consumer = kafkaOf(region).consumer({ groupId: `chaos-${process.pid}-${groups++}` });
  const entries: LogEntry[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: changesOf(region), fromBeginning: true });
    await new Promise<void>((resolve) => {
      void consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message: { value } }) => {
          if (value !== null && entries.length < most) entries.push({ partition, value: Buffer.from(value) });
          if (entries.length >= most) resolve();
        },
      });
    });
  } finally {
    await consumer.disconnect();
  }
  return entries;
}

/** The last record of each partition of the log of changes. */
export async function lastOfLog(region: ChaosRegion): Promise<readonly LogEntry[]> {
  const id = parseRegionId(region.name);
  assert(id !== null, `${region.name} is a region`);
  const log = new KafkaOwnLog({ region: id, cluster: { brokers: [region.site.brokers] }, logger: quiet });
  const spans = await log.spans(partitionCount, Number.MAX_SAFE_INTEGER);
  const subscription = log.subscribe(spans.map(({ first }) => first));
  const found = new Map<number, LogEntry>();
  while (found.size < partitionCount) {
    const batch = await subscription.next();
    const last = batch?.records.at(-1);
    if (batch === null || last === undefined) break;
    found.set(batch.partition, { partition: batch.partition, value: Buffer.from(last.bytes) });
  }
  await subscription.close();
  return [...found.values()];
}

/** In batches that are compressed as ours are where `compression` says so: the bound of the broker is one of what it stores. */
export async function appendLog(
  region: ChaosRegion,
  entries: readonly LogEntry[],
  compression: kafkajs.CompressionTypes = kafkajs.CompressionTypes.None,
): Promise<void> {
  const producer = kafkaOf(region).producer({ retry: { retries: 2 } });
  await producer.connect();
  try {
    const topic = changesOf(region);
    for (const { partition, value } of entries)
      await producer.send({ topic, compression, messages: [{ partition, value }] });
  } finally {
    await producer.disconnect();
  }
}

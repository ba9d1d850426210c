/** What an administrator, or somebody else's program, can do to the Kafka of a region. */
import kafkajs from 'kafkajs';
import type { ChaosRegion } from './chaos-region.ts';

export interface LogEntry {
  readonly partition: number;
  readonly value: Buffer;
}

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

/** Answers whatever comes into the log of changes from now on; `null`: with nothing. */
export async function followLog(
  region: ChaosRegion,
  answer: (entry: LogEntry) => LogEntry | null,
): Promise<{ readonly stop: () => Promise<void> }> {
  const topic = changesOf(region);
  const producer = kafkaOf(region).producer({ retry: { retries: 2 } });
  const consumer = kafkaOf(region).consumer({ groupId: `chaos-${process.pid}-${groups++}` });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topic, fromBeginning: false });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { value } }) => {
      const answered = value === null ? null : answer({ partition, value: Buffer.from(value) });
      if (answered === null) return;
      const { partition: to, value: sent } = answered;
      await producer.send({ topic, messages: [{ partition: to, value: sent }] });
    },
  });
  return {
    stop: async () => {
      await consumer.disconnect();
      await producer.disconnect();
    },
  };
}

export async function appendLog(region: ChaosRegion, entries: readonly LogEntry[]): Promise<void> {
  const producer = kafkaOf(region).producer({ retry: { retries: 2 } });
  await producer.connect();
  try {
    const topic = changesOf(region);
    for (const { partition, value } of entries)
      await producer.send({ topic, messages: [{ partition, value }] });
  } finally {
    await producer.disconnect();
  }
}

/** The log of the region eu as somebody else's program reads and writes it who can reach its Kafka. */
import kafkajs from 'kafkajs';

export interface Entry {
  readonly partition: number;
  readonly value: Buffer;
}

function kafkaAt(brokers: string): kafkajs.Kafka {
  return new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
}

/** What the log of changes holds by now. */
export async function readChanges(brokers: string): Promise<readonly Entry[]> {
  const admin = kafkaAt(brokers).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets('isthmus.eu.changes');
  await admin.disconnect();
  const open = new Map(ends.map(({ partition, high }) => [partition, Number(high) - 1]));
  const entries: Entry[] = [];
  const consumer = kafkaAt(brokers).consumer({ groupId: `reading-${performance.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: 'isthmus.eu.changes', fromBeginning: true });
  await new Promise<void>((resolve) => {
    void consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message: { value, offset } }) => {
        if (value !== null && open.has(partition)) entries.push({ partition, value: Buffer.from(value) });
        if (Number(offset) >= (open.get(partition) ?? Number.POSITIVE_INFINITY)) open.delete(partition);
        if (open.size === 0) resolve();
      },
    });
  });
  await consumer.disconnect();
  return entries;
}

export async function appendToLog(brokers: string, topic: string, entries: readonly Entry[]): Promise<void> {
  const producer = kafkaAt(brokers).producer();
  await producer.connect();
  for (const { partition, value } of entries)
    await producer.send({ topic: `isthmus.eu.${topic}`, messages: [{ partition, value }] });
  await producer.disconnect();
}

/** What retention does to the log of a region that a peer has not read in time: every record so far is gone. */
import kafkajs from 'kafkajs';
import type { Demo } from './demo.ts';

export async function forgetLog(ready: Demo['ready'], region: string): Promise<void> {
  const found = ready.regions.find((candidate) => candidate.region === region);
  if (found === undefined) throw new Error(`the demo has no region ${region}`);
  const kafka = new kafkajs.Kafka({ brokers: [found.brokers], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topic = `isthmus.${region}.changes`;
  const offsets = await admin.fetchTopicOffsets(topic);
  const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic, partitions });
  await admin.disconnect();
}

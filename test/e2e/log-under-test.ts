/**
 * Which log the demos of a test file have: Kafka, unless the file has chosen otherwise before it loads its tests. So one
 * file of tests holds for both, and each log has a file that runs it.
 */
import kafkajs from 'kafkajs';
import { Client } from 'pg';
import { query } from '../contract/fresh-database.ts';
import type { UsedDemo } from './use-demo.ts';

export type LogKind = 'kafka' | 'postgres';

let chosen: LogKind = 'kafka';

export function chooseLogUnderTest(log: LogKind): void {
  chosen = log;
}

export function logUnderTest(): LogKind {
  return chosen;
}

interface LogAddresses {
  readonly region: string;
  readonly database: string;
  readonly brokers: string;
}

/** What retention does to a region's log that a peer has not read in time. */
export async function forgetChanges(region: LogAddresses): Promise<void> {
  return chosen === 'kafka' ? forgetInKafka(region) : forgetInPostgres(region);
}

/** Lets a region's log take nothing until the result is called; its database goes on. */
export async function holdLog(demo: UsedDemo, region: string): Promise<() => Promise<void>> {
  if (chosen === 'kafka') {
    await demo.signal(region, 'kafka', 'SIGSTOP');
    return () => demo.signal(region, 'kafka', 'SIGCONT');
  }
  const client = new Client({ connectionString: demo.serversOf(region).database });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE isthmus.log_topic IN EXCLUSIVE MODE');
  return () => client.end();
}

async function forgetInKafka({ region, brokers }: LogAddresses): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topic = `isthmus.${region}.changes`;
  const offsets = await admin.fetchTopicOffsets(topic);
  const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
  await admin.deleteTopicRecords({ topic, partitions });
  await admin.disconnect();
}

async function forgetInPostgres({ database }: LogAddresses): Promise<void> {
  await query(database, forgetInPostgresSql);
}

/** The segment that is written to is left for the next one, and all that were written before are emptied. */
export const forgetInPostgresSql = `DO $$
DECLARE
  topic isthmus.log_topic;
BEGIN
  SELECT * INTO topic FROM isthmus.log_topic WHERE name = 'changes' FOR UPDATE;
  FOR part IN 0..15 LOOP EXECUTE format('TRUNCATE isthmus.log_record_%s', part); END LOOP;
  DELETE FROM isthmus.log_segment WHERE log_segment.topic = 'changes';
  INSERT INTO isthmus.log_segment (segment, topic, first_offset)
    VALUES ((topic.segment + 1) % 16, 'changes', topic.next_offset);
  UPDATE isthmus.log_topic SET segment = (topic.segment + 1) % 16 WHERE name = 'changes';
END
$$`;

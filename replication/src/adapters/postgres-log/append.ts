/**
 * The one statement that appends to a log in the region's own database. Offsets come from the topic's counter under its
 * row's lock, so they are without holes in the order of commits, whoever appends. It holds no logical message, so the
 * relay never meets its own records again.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { OutgoingRecord } from '../../ports/change-sink.ts';
import { byteaArray } from '../postgres/binary-array.ts';
import type { Call, Statement } from '../postgres/session.ts';
import { unavailable } from './log-connection.ts';
import { toStored } from './record-bytes.ts';
import { maxRecordBytes } from './topic.ts';
import type { TopicName } from './topic.ts';

const appendRecords: Statement = {
  name: 'isthmus_log_append',
  text: `WITH topic AS (
    UPDATE isthmus.log_topic SET next_offset = next_offset + $2 WHERE name = $1
    RETURNING next_offset - $2 AS first, segment)
  INSERT INTO isthmus.log_record (log_offset, segment, partition, compressed, bytes)
  SELECT topic.first + ours.place - 1, topic.segment, ours.partition, ours.compressed, ours.bytes
  FROM topic, unnest($3::smallint[], $4::boolean[], $5::bytea[])
    WITH ORDINALITY AS ours (partition, compressed, bytes, place)`,
};

export async function appendCall(topic: TopicName, records: readonly OutgoingRecord[]): Promise<Call> {
  for (const { bytes } of records) requireSize(bytes);
  const stored = await Promise.all(records.map(({ bytes }) => toStored(bytes)));
  return [
    appendRecords,
    topic,
    records.length,
    `{${records.map(({ partition }) => partition).join(',')}}`,
    `{${stored.map(({ compressed }) => compressed).join(',')}}`,
    byteaArray(stored.map(({ bytes }) => bytes)),
  ];
}

/** Rejects with `log-unavailable` where the topic is absent: then nothing was appended. */
export function requireHeld(topic: TopicName, records: readonly OutgoingRecord[], rowCount: number): void {
  if (rowCount !== records.length) throw unavailable(`there is no topic ${topic} yet`);
}

/** What may pass by itself is the log that does not answer; what a person must mend stays what it is. */
export async function asked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof ReplicationError && error.retriable ? unavailable(error) : error;
  }
}

function requireSize(bytes: Uint8Array): void {
  assert(bytes.length <= maxRecordBytes, `a log record of ${bytes.length} bytes, at most ${maxRecordBytes}`);
}

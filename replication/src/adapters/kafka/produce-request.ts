/**
 * Kafka's Produce request (version 7, which brokers speak from 2.1 on) for one topic, waiting for every in-sync
 * replica, and the reading of its answer. It goes out over the connections of kafkajs, whose own producer spends ten
 * times as long on a publish with a small record for each of many partitions.
 */
import { unavailable } from './kafka-connection.ts';
import { errorOfCode } from './kafkajs-internals.ts';
import type { Encoded, Exchange } from './kafkajs-internals.ts';

const produceKey = 0;
const version = 7;
const acksOfAllReplicas = -1;
const noTransaction = -1;
const acknowledgeTimeoutMs = 5_000;
const topicHeadBytes = 18;
const partitionHeadBytes = 8;
/** Base offset, append time and start offset of a partition's answer. */
const placeBytes = 24;

export interface PartitionBatch {
  readonly partition: number;
  readonly batch: Buffer;
}

interface ProduceAnswer {
  /** Error codes of partitions. */
  readonly failures: readonly number[];
  readonly clientSideThrottleTime: number;
}

/** Resolves to nothing; rejects with what the first partition says that took no records. */
export function produce(topic: string, batches: readonly PartitionBatch[]): Exchange<void, ProduceAnswer> {
  const bytes = encode(topic, batches);
  return {
    request: {
      apiKey: produceKey,
      apiVersion: version,
      apiName: 'Produce',
      encode: () => Promise.resolve(bytes),
    },
    response: {
      decode: (answer) => Promise.resolve(decode(answer)),
      parse: ({ failures }) => {
        const first = failures[0];
        return first === undefined ? Promise.resolve() : Promise.reject(errorOfCode(first));
      },
    },
  };
}

function encode(topic: string, batches: readonly PartitionBatch[]): Encoded {
  const name = Buffer.from(topic);
  const size = batches.reduce((sum, { batch }) => sum + partitionHeadBytes + batch.length, 0);
  const bytes = Buffer.allocUnsafe(topicHeadBytes + name.length + size);
  let offset = bytes.writeInt16BE(noTransaction, 0);
  offset = bytes.writeInt16BE(acksOfAllReplicas, offset);
  offset = bytes.writeInt32BE(acknowledgeTimeoutMs, offset);
  offset = bytes.writeInt32BE(1, offset); // topics
  offset = bytes.writeInt16BE(name.length, offset);
  bytes.set(name, offset);
  offset = bytes.writeInt32BE(batches.length, offset + name.length);
  for (const { partition, batch } of batches) {
    offset = bytes.writeInt32BE(partition, offset);
    offset = bytes.writeInt32BE(batch.length, offset);
    bytes.set(batch, offset);
    offset += batch.length;
  }
  return { buf: bytes, buffer: bytes };
}

function decode(answer: Buffer): ProduceAnswer {
  try {
    return decodeParts(answer);
  } catch (error) {
    throw unavailable(error);
  }
}

/** Topics with partitions, each with its number, an error code and its place; then the throttling time. */
function decodeParts(answer: Buffer): ProduceAnswer {
  const failures: number[] = [];
  let offset = 4;
  for (let topics = answer.readInt32BE(0); topics > 0; topics--) {
    offset += 2 + answer.readInt16BE(offset);
    const partitions = answer.readInt32BE(offset);
    offset += 4;
    for (let index = 0; index < partitions; index++) {
      const code = answer.readInt16BE(offset + 4);
      if (code !== 0) failures.push(code);
      offset += 6 + placeBytes;
    }
  }
  return { failures, clientSideThrottleTime: answer.readInt32BE(offset) };
}

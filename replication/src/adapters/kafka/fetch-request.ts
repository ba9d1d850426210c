/**
 * Kafka's Fetch request (version 4, the oldest that speaks of record batches) for one topic, without a consumer group
 * and without a fetch session, and the reading of its answer. It goes out over the connections of kafkajs, whose own
 * decoding makes a dozen objects of each record. Lengths are checked by the buffer: an answer that ends early cannot
 * be understood and is an error.
 */
import { unavailable } from './kafka-connection.ts';
import { errorOfCode } from './kafkajs-internals.ts';
import type { Encoded, Exchange } from './kafkajs-internals.ts';
import { readUncommitted } from './topics.ts';

const fetchKey = 1;
const version = 4;
const noReplica = -1;
const headBytes = 23;
const partitionBytes = 16;
const offsetOutOfRange = 1;
/** High watermark and last stable offset. */
const watermarkBytes = 16;
const abortedBytes = 16;

export interface FetchPlan {
  readonly topic: string;
  readonly wanted: readonly { readonly partition: number; readonly offset: bigint }[];
  /** How long a broker with less than `leastBytes` to tell holds the request. */
  readonly waitMs: number;
  readonly leastBytes: number;
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
}

export interface PartitionAnswer {
  readonly partition: number;
  /** Whole record batches, of which the last may be cut off. */
  readonly batches: Buffer;
}

/** A partition of which the broker gives nothing, because it does not lead it or cannot read it. */
export interface FailedPartition {
  readonly partition: number;
  readonly cause: Error;
}

export type FetchAnswer =
  | {
      readonly kind: 'batches';
      readonly partitions: readonly PartitionAnswer[];
      readonly failed: readonly FailedPartition[];
    }
  | { readonly kind: 'out-of-range'; readonly partition: number };

export function fetchOf(plan: FetchPlan): Exchange<FetchAnswer, Decoded> {
  const bytes = encode(plan);
  return {
    request: {
      apiKey: fetchKey,
      apiVersion: version,
      apiName: 'Fetch',
      encode: () => Promise.resolve(bytes),
    },
    response: {
      decode: (answer) => Promise.resolve(decode(answer)),
      parse: ({ answer }) => Promise.resolve(answer),
    },
  };
}

function encode({ topic, wanted, waitMs, leastBytes, maxBytes, maxBytesPerPartition }: FetchPlan): Encoded {
  const name = Buffer.from(topic);
  const bytes = Buffer.allocUnsafe(headBytes + name.length + 4 + wanted.length * partitionBytes);
  let offset = bytes.writeInt32BE(noReplica, 0);
  offset = bytes.writeInt32BE(waitMs, offset);
  offset = bytes.writeInt32BE(leastBytes, offset);
  offset = bytes.writeInt32BE(maxBytes, offset);
  offset = bytes.writeInt8(readUncommitted, offset);
  offset = bytes.writeInt32BE(1, offset); // topics
  offset = bytes.writeInt16BE(name.length, offset);
  bytes.set(name, offset);
  offset = bytes.writeInt32BE(wanted.length, offset + name.length);
  for (const { partition, offset: from } of wanted) {
    offset = bytes.writeInt32BE(partition, offset);
    offset = bytes.writeBigInt64BE(from, offset);
    offset = bytes.writeInt32BE(maxBytesPerPartition, offset);
  }
  return { buf: bytes, buffer: bytes };
}

interface Decoded {
  readonly answer: FetchAnswer;
  readonly clientSideThrottleTime: number;
}

function decode(bytes: Buffer): Decoded {
  try {
    return { answer: readTopics(bytes), clientSideThrottleTime: bytes.readInt32BE(0) };
  } catch (error) {
    throw unavailable(error);
  }
}

/** The answer begins with the throttling time; then come topics, each with its partitions. */
function readTopics(bytes: Buffer): FetchAnswer {
  const partitions: PartitionAnswer[] = [];
  const failed: FailedPartition[] = [];
  let offset = 8;
  for (let topics = bytes.readInt32BE(4); topics > 0; topics--) {
    offset += 2 + bytes.readInt16BE(offset);
    const count = bytes.readInt32BE(offset);
    offset += 4;
    for (let index = 0; index < count; index++) {
      const partition = bytes.readInt32BE(offset);
      const code = bytes.readInt16BE(offset + 4);
      if (code === offsetOutOfRange) return { kind: 'out-of-range', partition };
      offset += 6 + watermarkBytes;
      offset += 4 + Math.max(0, bytes.readInt32BE(offset)) * abortedBytes;
      const length = Math.max(0, bytes.readInt32BE(offset));
      offset += 4;
      if (code === 0) partitions.push({ partition, batches: bytes.subarray(offset, offset + length) });
      else failed.push({ partition, cause: errorOfCode(code) });
      offset += length;
    }
  }
  return { kind: 'batches', partitions, failed };
}

/**
 * Reads record batches of Kafka's second format as a broker hands them out: whole ones, the last perhaps cut off, the
 * first perhaps beginning before what was asked for. Values are copies, because a view of few bytes would keep all that
 * its batch holds beside them, and what is kept is bounded (I12): batches are read until there is enough.
 * A batch that is not understood (another format or compression, damaged, or far larger than any) was not written by a relay
 * that this version knows: it stands as one record without bytes at its last offset. It is never passed over in silence, and
 * whoever writes one cannot hold up what comes after it.
 */
import { ReplicationError } from '../../errors.ts';
import type { FeedRecord } from '../../ports/change-feed.ts';
import { enoughBytes, keptBytes } from '../batch-queue.ts';
import { inflateBatch, maxInflatedBytes } from './gzip-codec.ts';
import { unavailable } from './kafka-connection.ts';

const headBytes = 61;
const uncountedBytes = 12;
const magicAt = 16;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
const firstTimeAt = 27;
const countAt = 57;
const magic = 2;
const compressionMask = 7;
const gzipped = 1;
const controlFlag = 0x20;
const noValue = new Uint8Array(0);

export interface ReadBatches {
  readonly records: readonly FeedRecord[];
  /** Where the next fetch goes on; `null`: no whole batch came. */
  readonly next: bigint | null;
  /** Producer's clock as it made the first batch; `null`: no whole batch came. */
  readonly stampedMs: number | null;
  /** What the records take in memory. */
  readonly bytes: number;
}

/** Records from `from` on, until there are `enough` bytes. Rejects with `log-unavailable` where the answer is no row of batches. */
export async function readBatches(
  batches: Buffer,
  from: bigint,
  enough: number = enoughBytes,
): Promise<ReadBatches> {
  const records: FeedRecord[] = [];
  let bytes = 0;
  let next: bigint | null = null;
  let stampedMs: number | null = null;
  for (let at = 0; at + headBytes <= batches.length && bytes < enough; ) {
    const end = at + uncountedBytes + batches.readInt32BE(at + 8);
    if (end < at + headBytes)
      throw unavailable(`a batch of ${end - at} bytes, at least ${headBytes} are its head`);
    if (end > batches.length) break;
    const batch = batches.subarray(at, end);
    next = batch.readBigInt64BE(0) + BigInt(batch.readInt32BE(lastOffsetDeltaAt)) + 1n;
    stampedMs ??= Number(batch.readBigInt64BE(firstTimeAt));
    if (next > from)
      for (const record of await readOrNothing(batch, { from, last: next - 1n })) {
        records.push(record);
        bytes += keptBytes(record);
      }
    at = end;
  }
  return { records, next, stampedMs, bytes };
}

async function readOrNothing(
  batch: Buffer,
  { from, last }: { readonly from: bigint; readonly last: bigint },
): Promise<readonly FeedRecord[]> {
  try {
    return await readBatch(batch, from);
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
    return [{ offset: last, bytes: noValue }];
  }
}

async function readBatch(batch: Buffer, from: bigint): Promise<readonly FeedRecord[]> {
  const records: FeedRecord[] = [];
  if (batch.readInt8(magicAt) !== magic) throw unavailable(`a batch of format ${batch.readInt8(magicAt)}`);
  const attributes = batch.readInt16BE(attributesAt);
  if ((attributes & controlFlag) !== 0) return [];
  const base = batch.readBigInt64BE(0);
  const reader = new VarintReader(await contentOf(batch, attributes & compressionMask));
  let wholeBytes = 0;
  for (let left = batch.readInt32BE(countAt); left > 0; left--) {
    const { offsetDelta, bytes } = readRecord(reader);
    wholeBytes += keptBytes({ bytes });
    if (wholeBytes > maxInflatedBytes)
      throw unavailable(`the records of a batch take more than ${maxInflatedBytes} bytes`);
    const offset = base + BigInt(offsetDelta);
    if (offset >= from) records.push({ offset, bytes: Buffer.from(bytes) });
  }
  return records;
}

async function contentOf(batch: Buffer, compression: number): Promise<Buffer> {
  const content = batch.subarray(headBytes);
  if (compression === 0) return content;
  if (compression !== gzipped)
    throw unavailable(`a batch in compression ${compression}, known is gzip (${gzipped})`);
  try {
    return await inflateBatch(content);
  } catch (error) {
    throw unavailable(error);
  }
}

/** Attributes, time and headers are nothing to us, and a key is passed over. */
function readRecord(reader: VarintReader): { readonly offsetDelta: number; readonly bytes: Uint8Array } {
  const length = reader.varint();
  const end = reader.position + length;
  reader.skip(1);
  reader.skipVarint();
  const offsetDelta = reader.varint();
  reader.skip(Math.max(0, reader.varint()));
  const size = reader.varint();
  const bytes = size < 0 ? noValue : reader.take(size);
  reader.skip(end - reader.position);
  return { offsetDelta, bytes };
}

class VarintReader {
  readonly #buffer: Buffer;
  position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** Signed, low bits first, sign in the lowest bit. */
  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
  }

  skipVarint(): void {
    while (this.#byte() >= 0x80);
  }

  skip(count: number): void {
    this.take(count);
  }

  take(count: number): Uint8Array {
    const start = this.position;
    if (count < 0 || start + count > this.#buffer.length)
      throw unavailable('a record reaches beyond its batch');
    this.position += count;
    return this.#buffer.subarray(start, start + count);
  }

  #byte(): number {
    const byte = this.#buffer[this.position++];
    if (byte === undefined) throw unavailable('a record reaches beyond its batch');
    return byte;
  }
}

/**
 * Record batches of Kafka's second format, as producers send them (protocol guide, "Record Batch"): records without
 * key and headers, in order, never part of a transaction. A batch is encoded once and straight into its bytes, because
 * a publish has one for each partition and a batch of many small objects costs more than what it carries. Batches from
 * a stated size on are compressed, since bytes between regions cost money; below it that would win little.
 */
import { assert } from '../../errors.ts';
import { deflateBatch } from './gzip-codec.ts';
import { crc32c } from './crc32c.ts';

/** From the base offset to the number of records. */
const headBytes = 61;
/** What the length of a batch does not count: base offset and the length itself. */
const uncountedBytes = 12;
/** What the checksum does not cover: all before the attributes. */
const uncheckedBytes = 21;
const magic = 2;
const gzipped = 1;
const none = -1;
const compressFromBytes = 2_048;
const varintBytes = 5;

export async function encodeBatch(values: readonly Uint8Array[], nowMs: number): Promise<Buffer> {
  const records = encodeRecords(values);
  if (records.length < compressFromBytes)
    return frame(records, { count: values.length, nowMs, attributes: 0 });
  const packed = await deflateBatch(records);
  return frame(packed, { count: values.length, nowMs, attributes: gzipped });
}

function frame(
  records: Buffer,
  {
    count,
    nowMs,
    attributes,
  }: { readonly count: number; readonly nowMs: number; readonly attributes: number },
): Buffer {
  const batch = Buffer.allocUnsafe(headBytes + records.length);
  const at = BigInt(nowMs);
  let offset = batch.writeBigInt64BE(0n, 0); // base offset: the broker's to give
  offset = batch.writeInt32BE(batch.length - uncountedBytes, offset);
  offset = batch.writeInt32BE(none, offset); // leader epoch
  offset = batch.writeInt8(magic, offset);
  const checksumAt = offset;
  offset = batch.writeInt16BE(attributes, uncheckedBytes);
  offset = batch.writeInt32BE(count - 1, offset);
  offset = batch.writeBigInt64BE(at, offset);
  offset = batch.writeBigInt64BE(at, offset);
  offset = batch.writeBigInt64BE(BigInt(none), offset); // producer id, epoch and sequence: not idempotent
  offset = batch.writeInt16BE(none, offset);
  offset = batch.writeInt32BE(none, offset);
  offset = batch.writeInt32BE(count, offset);
  assert(offset === headBytes, 'the head of a batch has one size');
  batch.set(records, offset);
  batch.writeUInt32BE(crc32c(batch.subarray(uncheckedBytes)), checksumAt);
  return batch;
}

function encodeRecords(values: readonly Uint8Array[]): Buffer {
  const sizes = values.map((value, index) => recordBytes(value, index));
  const total = sizes.reduce((sum, size) => sum + size, values.length * varintBytes);
  const records = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const [index, value] of values.entries()) {
    offset = writeVarint(records, sizes[index] ?? 0, offset);
    records[offset++] = 0; // attributes
    records[offset++] = 0; // the batch's own time
    offset = writeVarint(records, index, offset);
    offset = writeVarint(records, none, offset); // no key
    offset = writeVarint(records, value.length, offset);
    records.set(value, offset);
    offset += value.length;
    records[offset++] = 0; // no headers
  }
  return records.subarray(0, offset);
}

/** Without the length in front. */
function recordBytes(value: Uint8Array, index: number): number {
  const fixedBytes = 4; // attributes, time, key, headers
  return fixedBytes + sizeOfVarint(index) + sizeOfVarint(value.length) + value.length;
}

/** Signed, low bits first, sign in the lowest bit. */
function writeVarint(target: Buffer, value: number, at: number): number {
  let offset = at;
  let rest = zigzag(value);
  while (rest > 0x7f) {
    target[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = zigzag(value); rest > 0x7f; rest >>>= 7) size++;
  return size;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

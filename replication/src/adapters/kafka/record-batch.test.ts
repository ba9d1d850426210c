import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';
import { encodeBatch } from './record-batch.ts';
import { readBatches } from './record-batch-reader.ts';

const nowMs = 1_700_000_000_000;
const values = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 40 });
const compressible = fc
  .array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 4 })
  .map((sizes) => sizes.map((size) => new Uint8Array(size).fill(7)));

test('the checksum is that of RFC 3720', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
});

test('what is encoded is read again, compressed or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(values, compressible), async (input) => {
      const { records, next } = await readBatches(await encodeBatch(input, nowMs), 0n);
      expect(records.map(({ offset }) => Number(offset))).toEqual([...input.keys()]);
      expect(records.map(({ bytes }) => bytes.length)).toEqual(input.map(({ length }) => length));
      expect(Buffer.concat(records.map(({ bytes }) => bytes)).equals(Buffer.concat(input))).toBe(true);
      expect(next).toBe(BigInt(input.length));
    }),
  );
});

test('a batch may hold more records than a call takes arguments', async () => {
  const many = Array.from({ length: 200_000 }, () => new Uint8Array(1));
  const { records, next } = await readBatches(await encodeBatch(many, nowMs), 0n);
  expect({ count: records.length, next }).toEqual({ count: many.length, next: BigInt(many.length) });
});

const mebibyte = 1024 * 1024;

test('of a batch nothing is kept but the values: a few bytes may pass over a great many (I12)', async () => {
  for (const gzipped of [false, true]) {
    const { records, bytes } = await readBatches(keyed(60 * mebibyte, Buffer.of(7), gzipped), 0n);
    expect(records.map((record) => [...record.bytes])).toEqual([[7]]);
    expect(records[0]?.bytes.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize);
    expect(bytes).toBeLessThan(1_000);
  }
});

test('what is read at one time ends with the batch that makes it enough, and goes on there (I12)', async () => {
  const large = await log(
    Array.from({ length: 8 }, () => 1),
    () => Buffer.alloc(20 * mebibyte),
  );
  expect(large.length).toBeLessThan(mebibyte);
  for (const from of [0n, 2n, 4n, 6n]) {
    const read = await readBatches(large.subarray(Number(from) * (large.length / 8)), from);
    expect([read.records.map(({ offset }) => offset), read.next]).toEqual([[from, from + 1n], from + 2n]);
    expect(read.bytes).toBeLessThan(41 * mebibyte);
  }
  expect(await readBatches(large, 0n, 0)).toMatchObject({ records: [], next: null });
});

test('a batch of more records than any of ours is told as nothing at its end, and holds up nobody (I12)', async () => {
  const count = 400_000;
  const { records, next } = await readBatches(await log([count, 1], () => Buffer.alloc(1)), 0n);
  expect(records.map(({ offset, bytes }) => [Number(offset), bytes.length])).toEqual([
    [count - 1, 0],
    [count, 1],
  ]);
  expect(next).toBe(BigInt(count) + 1n);
});

test('records before the place that was asked for are left out', async () => {
  const batches = await log([3, 4, 2]);
  const { records, next } = await readBatches(batches, 4n);
  expect(records.map(({ offset }) => offset)).toEqual([4n, 5n, 6n, 7n, 8n]);
  expect(next).toBe(9n);
});

test('a batch that is cut off is left for the next fetch', async () => {
  const batches = await log([3, 4]);
  const first = await log([3]);
  for (let length = first.length; length < batches.length; length++) {
    const { records, next, stampedMs } = await readBatches(batches.subarray(0, length), 0n);
    expect({ count: records.length, next, stampedMs }).toEqual({ count: 3, next: 3n, stampedMs: nowMs });
  }
  expect(await readBatches(batches.subarray(0, first.length - 1), 0n)).toEqual({
    records: [],
    next: null,
    stampedMs: null,
    bytes: 0,
  });
});

test('a control batch moves the place and holds no record', async () => {
  const batch = await encodeBatch([new Uint8Array(5)], nowMs);
  batch.writeInt16BE(0x20, 21);
  expect(await readBatches(batch, 0n)).toEqual({ records: [], next: 1n, stampedMs: nowMs, bytes: 0 });
});

test('a batch in an unknown compression or format is told as nothing at its end, and holds up nobody', async () => {
  for (const [at, byte] of [
    [22, 4],
    [16, 1],
    [22, 1],
  ] as const) {
    const batches = await log([3, 2]);
    batches[at] = byte;
    const { records, next } = await readBatches(batches, 0n);
    expect(records.map(({ offset, bytes }) => [Number(offset), bytes.length])).toEqual([
      [2, 0],
      [3, 8],
      [4, 8],
    ]);
    expect(next).toBe(5n);
  }
});

test('hostile bytes end in an answer or an error', async () => {
  const batch = await log([2, 3]);
  await fc.assert(
    fc.asyncProperty(fc.nat(batch.length - 1), fc.nat(255), async (at, byte) => {
      const spoiled = Buffer.from(batch);
      spoiled[at] = byte;
      const [result] = await Promise.allSettled([readBatches(spoiled, 0n)]);
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'log-unavailable' });
    }),
    { numRuns: 2000 },
  );
});

/** Batches of so many records each, as a broker numbers them. */
async function log(
  counts: readonly number[],
  value = (index: number): Buffer => Buffer.from(`record ${index}`),
): Promise<Buffer> {
  const batches: Buffer[] = [];
  let base = 0n;
  for (const count of counts) {
    const content = Array.from({ length: count }, (_, index) => value(index));
    const batch = await encodeBatch(content, nowMs);
    batch.writeBigInt64BE(base, 0);
    base += BigInt(count);
    batches.push(batch);
  }
  return Buffer.concat(batches);
}

/** A batch of one record with a key, which no producer of ours gives it. */
function keyed(keyBytes: number, value: Buffer, isGzipped: boolean): Buffer {
  const key = [varint(keyBytes), Buffer.alloc(keyBytes)];
  const rest = Buffer.concat([Buffer.of(0, 0, 0), ...key, varint(value.length), value, Buffer.of(0)]);
  const record = Buffer.concat([varint(rest.length), rest]);
  const content = isGzipped ? gzipSync(record) : record;
  const head = Buffer.alloc(61);
  head.writeInt32BE(head.length + content.length - 12, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(isGzipped ? 1 : 0, 21);
  head.writeInt32BE(1, 57);
  return Buffer.concat([head, content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = 2 * value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

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
  });
});

test('a control batch moves the place and holds no record', async () => {
  const batch = await encodeBatch([new Uint8Array(5)], nowMs);
  batch.writeInt16BE(0x20, 21);
  expect(await readBatches(batch, 0n)).toEqual({ records: [], next: 1n, stampedMs: nowMs });
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
async function log(counts: readonly number[]): Promise<Buffer> {
  const batches: Buffer[] = [];
  let base = 0n;
  for (const count of counts) {
    const batch = await encodeBatch(
      Array.from({ length: count }, (_, index) => Buffer.from(`record ${index}`)),
      nowMs,
    );
    batch.writeBigInt64BE(base, 0);
    base += BigInt(count);
    batches.push(batch);
  }
  return Buffer.concat(batches);
}

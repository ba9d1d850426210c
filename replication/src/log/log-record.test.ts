import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplicationError } from '../errors.ts';
import { parseRegionId } from '../ports/identity.ts';
import { decodeLogRecord, encodeLogRecord, reachOf } from './log-record.ts';
import type { ChangesRecord, LogRecord, PlacedChange } from './log-record.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const lsn = fc.bigInt({ min: 0n, max: 2n ** 62n });

const head = fc.record({
  origin: fc.constant(eu),
  incarnation: fc.record({ counter: fc.integer({ min: 1, max: 2 ** 32 - 1 }), nonce: u32 }),
  partition: fc.nat({ max: 1000 }),
});

const beat = fc.record({
  number: fc.nat(),
  lsn,
  end: lsn,
  atMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
  count: fc.option(fc.nat()),
});

const changesRecord: fc.Arbitrary<ChangesRecord> = fc
  .tuple(
    head,
    lsn,
    fc.array(beat, { maxLength: 3 }),
    fc.array(
      fc.record({
        step: fc.integer({ min: 0, max: 10_000 }),
        index: fc.nat({ max: 500 }),
        collection: fc.constantFrom('products', 'profiles', 'x'),
        key: fc.string({ minLength: 1, unit: 'grapheme' }).filter((key) => !key.includes('\0')),
        delta: fc.uint8Array({ maxLength: 64 }),
      }),
      { maxLength: 20 },
    ),
  )
  .map(([common, from, beats, steps]) => {
    let at = from;
    const changes = steps.map(({ step, ...change }): PlacedChange => {
      at += BigInt(step);
      return { ...change, lsn: at };
    });
    return { kind: 'changes', ...common, from, to: at + 1n, beats, changes };
  });

const startRecord: fc.Arbitrary<LogRecord> = fc
  .tuple(head, fc.nat({ max: 1000 }), lsn)
  .map(([common, partitionCount, at]) => ({ kind: 'start', ...common, partitionCount, at }));

test('what was encoded stays what it is while others are encoded, however large', () => {
  fc.assert(
    fc.property(
      fc.array(changesRecord, { minLength: 2, maxLength: 4 }),
      fc.nat(200_000),
      (records, byteCount) => {
        const large = { collection: 'x', key: 'large', delta: new Uint8Array(byteCount).fill(7), index: 0 };
        const encoded = records.map((record) => {
          const bytes = encodeLogRecord(record);
          encodeLogRecord({ ...record, changes: [{ ...large, lsn: record.to }] });
          return bytes;
        });
        expect(encoded.map(decodeLogRecord)).toEqual(records);
      },
    ),
    { numRuns: 50 },
  );
});

test('a name that no database can hold makes the whole record malformed (P4)', () => {
  const change = { lsn: 5n, index: 0, collection: 'products', key: 'a', delta: new Uint8Array([1]) };
  const record = (changed: Partial<PlacedChange>): LogRecord => ({
    kind: 'changes',
    origin: eu,
    incarnation: { counter: 1, nonce: 1 },
    partition: 0,
    from: 4n,
    to: 5n,
    beats: [],
    changes: [{ ...change, ...changed }],
  });
  expect(decodeLogRecord(encodeLogRecord(record({})))).toEqual(record({}));
  for (const changed of [{ key: 'a\0b' }, { collection: '\0' }])
    expect(() => decodeLogRecord(encodeLogRecord(record(changed)))).toThrow(/U\+0000/);
});

test('an index that no database can hold makes the whole record malformed (P4)', () => {
  const change = { collection: 'products', key: 'a', delta: new Uint8Array(0), lsn: 5n, index: 2 ** 31 };
  const rest = {
    origin: eu,
    incarnation: { counter: 1, nonce: 1 },
    partition: 0,
    from: 1n,
    to: 9n,
    beats: [],
  };
  const encoded = encodeLogRecord({ kind: 'changes', ...rest, changes: [change] });
  expect(() => decodeLogRecord(encoded)).toThrow(/index is 2147483648/);
});

test('what is encoded is decoded, and equal records are equal bytes', () => {
  fc.assert(
    fc.property(fc.oneof(changesRecord, startRecord), (record) => {
      const bytes = encodeLogRecord(record);
      expect(decodeLogRecord(bytes)).toEqual(record);
      expect(encodeLogRecord(decodeLogRecord(bytes))).toEqual(bytes);
    }),
  );
});

test('how far a record of changes goes is read from its head alone', () => {
  fc.assert(
    fc.property(changesRecord, fc.nat({ max: 60 }), (record, length) => {
      const { incarnation, to } = record;
      const bytes = encodeLogRecord(record);
      expect(reachOf(bytes)).toEqual({ incarnation, to });
      const cut = reachOf(bytes.subarray(0, length));
      if (cut !== null) expect(cut).toEqual({ incarnation, to });
    }),
  );
  fc.assert(
    fc.property(startRecord, (record) => {
      expect(reachOf(encodeLogRecord(record))).toBeNull();
    }),
  );
});

test('no flipped bit and no truncation is accepted', () => {
  fc.assert(
    fc.property(changesRecord, fc.nat(), fc.nat({ max: 7 }), (record, at, bit) => {
      const bytes = encodeLogRecord(record);
      const flipped = Buffer.from(bytes);
      const index = at % bytes.length;
      flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
      expect(() => decodeLogRecord(flipped)).toThrow(ReplicationError);
      expect(() => decodeLogRecord(bytes.subarray(0, index))).toThrow(ReplicationError);
    }),
  );
});

test('any bytes end in a record or a typed error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => decodeLogRecord(bytes)).toThrow(ReplicationError);
    }),
  );
});

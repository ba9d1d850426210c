import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReplicationError } from '../errors.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import { decodeProgress, encodeProgress, type ProgressMessage } from './progress-record.ts';

function region(name: string): RegionId {
  return parseRegionId(name) ?? expect.fail(`${name} is a region`);
}

const incarnation = fc.record({
  counter: fc.integer({ min: 1, max: 0xffffffff }),
  nonce: fc.integer({ min: 0, max: 0xffffffff }),
});
const time = fc.double({ min: 0, max: 4e12, noNaN: true });
const beatNumber = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const originProgress = fc.record({
  origin: fc.constantFrom('eu', 'us', 'ap-south-1', 'z').map(region),
  incarnation,
  settled: fc.option(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { minLength: 1, maxLength: 9 })),
  settledBeat: fc.option(beatNumber),
  echo: fc.option(fc.record({ number: beatNumber, atMs: time, receivedAtMs: time })),
});
const vector = fc.array(
  fc.record({
    region: fc.constantFrom('eu', 'us').map(region),
    incarnation,
    partition: fc.nat({ max: 1023 }),
    lsn: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  { maxLength: 5 },
);
const barriers = fc.record({
  ask: fc.option(fc.record({ number: beatNumber, round: beatNumber, vector: fc.option(vector) })),
  answers: fc.array(
    fc.record({
      asker: fc.constantFrom('eu', 'ap').map(region),
      askerIncarnation: incarnation,
      number: beatNumber,
      round: beatNumber,
      position: vector,
      isCovered: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
});
const message: fc.Arbitrary<ProgressMessage> = fc.record({
  region: fc.constantFrom('eu', 'us').map(region),
  incarnation,
  publishedAtMs: time,
  publishedCount: fc.option(beatNumber),
  origins: fc.uniqueArray(originProgress, { selector: ({ origin }) => origin, maxLength: 4 }),
  barriers,
});

const sample: ProgressMessage = {
  region: region('us'),
  incarnation: { counter: 2, nonce: 7 },
  publishedAtMs: 1_700_000_000_000.5,
  publishedCount: 900,
  origins: [
    {
      origin: region('eu'),
      incarnation: { counter: 1, nonce: 0xdeadbeef },
      settled: [0n, 2n ** 63n],
      settledBeat: 41,
      echo: { number: 42, atMs: 1_700_000_000_000, receivedAtMs: 1_700_000_000_000.25 },
    },
  ],
  barriers: { ask: { number: 3, round: 5, vector: null }, answers: [] },
};

function refusal(bytes: Uint8Array): string {
  try {
    decodeProgress(bytes);
  } catch (error) {
    if (!(error instanceof ReplicationError)) throw error;
    expect(error.code).toBe(/of version (?!0)/.test(error.message) ? 'newer-format' : 'malformed-record');
    return error.message;
  }
  return 'accepted';
}

test('a message comes back as it went in', () => {
  fc.assert(
    fc.property(message, (told) => {
      expect(decodeProgress(encodeProgress(told))).toEqual(told);
    }),
  );
});

test('hostile bytes end in malformed-record', () => {
  const bytes = encodeProgress(sample);
  for (let length = 0; length < bytes.length; length++)
    expect(refusal(bytes.subarray(0, length))).not.toBe('accepted');
  expect(refusal(Buffer.concat([bytes, Buffer.of(0)]))).toContain('follow the end');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void refusal(noise)));
  const flip = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 4 }), (flips) => {
      const damaged = Buffer.from(bytes);
      for (const [at, mask] of flips) damaged[at] = (damaged[at] ?? 0) ^ mask;
      refusal(damaged);
    }),
    { numRuns: 2000 },
  );
});

test('a refusal names field, limit and value', () => {
  const [origin] = sample.origins;
  if (origin === undefined) throw new TypeError('no origin');
  expect(refusal(Buffer.of(9))).toBe('progress message of version 9, the newest known is 3');
  expect(refusal(encodeProgress({ ...sample, publishedAtMs: Number.NaN }))).toContain('publishedAtMs is NaN');
  expect(refusal(encodeProgress({ ...sample, origins: [origin, origin] }))).toBe('origin eu is told twice');
  const wide = { ...origin, settled: Array.from({ length: 1025 }, () => 1n) };
  expect(refusal(encodeProgress({ ...sample, origins: [wide] }))).toBe(
    'partitions is 1025, outside 0 to 1024',
  );
  const unborn = { ...sample, incarnation: { counter: 0, nonce: 1 } };
  expect(refusal(encodeProgress(unborn))).toContain('incarnation counter is 0');
});

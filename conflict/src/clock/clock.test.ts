import { expect, test } from 'vitest';
import { ByteWriter } from '../codec/byte-writer.ts';
import type { Stamp } from './stamp.ts';
import { HybridClock } from './hybrid-clock.ts';
import { compareStamps, nextStamp, readStamp, writeStamp } from './stamp.ts';

function encodeStamp(stamp: Stamp): Uint8Array {
  const writer = new ByteWriter(8);
  writeStamp(writer, stamp);
  return writer.finish();
}

const end = { ms: 2 ** 48 - 1, logical: 65_535 };

test('the next stamp is above what it follows, whatever the wall clock says', () => {
  expect(nextStamp(null, 5.9)).toEqual({ ms: 5, logical: 0 });
  expect(nextStamp({ ms: 5, logical: 3 }, 9)).toEqual({ ms: 9, logical: 0 });
  expect(nextStamp({ ms: 5, logical: 3 }, 1)).toEqual({ ms: 5, logical: 4 });
  expect(nextStamp({ ms: 5, logical: 65_535 }, 5)).toEqual({ ms: 6, logical: 0 });
  expect(nextStamp(end, 1)).toEqual(end);
});

test.each([Number.NaN, -1, 2 ** 48, Infinity])('%s is no time', (now) => {
  expect(() => nextStamp(null, now)).toThrow('milliseconds since 1970');
});

test('stamps order as their bytes do', () => {
  const stamps = [{ ms: 0, logical: 1 }, { ms: 255, logical: 0 }, { ms: 2 ** 40, logical: 256 }, end];
  expect(stamps.map((stamp) => readStamp(encodeStamp(stamp), 0))).toEqual(stamps);
  const bytes = stamps.map((stamp) => Buffer.from(encodeStamp(stamp)).toString('hex'));
  expect(bytes).toEqual(bytes.toSorted());
});

test('a hybrid clock goes on past 65,536 events in a millisecond', () => {
  const clock = new HybridClock({ maxDriftMs: 1000, beyondDrift: 'reject' });
  let last = clock.send(7);
  for (let index = 0; index < 70_000; index += 1) {
    const next = clock.send(7);
    if (compareStamps(next, last) <= 0) expect.fail(`${JSON.stringify(next)} is not above`);
    last = next;
  }
  expect(last.ms).toBe(8);
});

test.each([
  ['reject', 'rejected'],
  ['quarantine', 'quarantined'],
] as const)('%s: a stamp too far ahead is not taken in', (beyondDrift, outcome) => {
  const clock = new HybridClock({ maxDriftMs: 1000, beyondDrift });
  expect(clock.receive({ ms: 2001, logical: 0 }, 1000)).toEqual({ outcome, aheadMs: 1001, maxDriftMs: 1000 });
  expect(clock.send(1000).ms).toBe(1000);
  expect(clock.receive({ ms: 2000, logical: 5 }, 1000)).toEqual({ outcome: 'accepted' });
  expect(clock.send(1000)).toEqual({ ms: 2000, logical: 6 });
});

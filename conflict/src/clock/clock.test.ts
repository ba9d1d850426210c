import { expect, test } from 'vitest';
import { stampAt, stampText } from '../record/entry.ts';
import { HybridClock } from './hybrid-clock.ts';
import { checkedMs, compareStamps, nextStamp, type Stamp } from './stamp.ts';

const end = { ms: 2 ** 48 - 1, logical: 65_535 };

test('the next stamp is above what it follows, whatever the wall clock says', () => {
  expect(nextStamp(5, null)).toEqual({ ms: 5, logical: 0 });
  expect(nextStamp(9, { ms: 5, logical: 3 })).toEqual({ ms: 9, logical: 0 });
  expect(nextStamp(1, { ms: 5, logical: 3 })).toEqual({ ms: 5, logical: 4 });
  expect(nextStamp(5, { ms: 5, logical: 65_535 })).toEqual({ ms: 6, logical: 0 });
  expect(nextStamp(1, end)).toEqual(end);
});

test('readings with fractions are rounded down, others are no times', () => {
  expect(checkedMs(5.9)).toBe(5);
  for (const now of [Number.NaN, -1, 2 ** 48, Infinity]) {
    expect(() => checkedMs(now)).toThrow(expect.objectContaining({ code: 'invalid-argument', rule: 'now' }));
  }
});

test('stamps come back from their bytes; the common ones take six', () => {
  const stamps = [{ ms: 0, logical: 1 }, { ms: 255, logical: 0 }, { ms: 2 ** 40, logical: 256 }, end];
  expect(stamps.map((stamp) => stampAt(stampText(stamp), 0))).toEqual(stamps);
  expect(stamps.map((stamp) => stampText(stamp).length)).toEqual([9, 6, 9, 9]);
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
] as const)('%s: a stamp too far ahead is not taken in, and changes nothing', (beyondDrift, outcome) => {
  const clock = new HybridClock({ maxDriftMs: 1000, beyondDrift });
  expect(clock.receive({ ms: 2001, logical: 0 }, 1000)).toEqual({ outcome, aheadMs: 1001, maxDriftMs: 1000 });
  expect(clock.last).toBeNull();
  const received = clock.receive({ ms: 2000, logical: 5 }, 1000);
  expect(received).toEqual({ outcome: 'accepted', stamp: { ms: 2000, logical: 6 } });
  expect(clock.send(1000)).toEqual({ ms: 2000, logical: 7 });
});

test('a remote stamp below what the clock has sent does not set it back', () => {
  const clock = new HybridClock({ maxDriftMs: 1000, beyondDrift: 'reject' });
  expect(clock.send(1000)).toEqual({ ms: 1000, logical: 0 });
  const received = clock.receive({ ms: 500, logical: 9 }, 900);
  expect(received).toEqual({ outcome: 'accepted', stamp: { ms: 1000, logical: 1 } });
  expect(clock.last).toEqual({ ms: 1000, logical: 1 });
});

test('a clock that is started again goes on above its last stamp', () => {
  const clock = new HybridClock({ maxDriftMs: 0, beyondDrift: 'reject' }, { ms: 90, logical: 2 });
  expect(clock.send(10)).toEqual({ ms: 90, logical: 3 });
});

test.each([
  [{ ms: Number.NaN, logical: 0 }],
  [{ ms: 2 ** 60, logical: 0 }],
  [{ ms: 1, logical: 65_536 }],
  [{ ms: 1.5, logical: 0 }],
  [{}],
  [null],
])('%o is no stamp, and changes nothing', (stamp) => {
  const clock = new HybridClock({ maxDriftMs: Infinity, beyondDrift: 'reject' });
  const given: Stamp = JSON.parse(JSON.stringify(stamp ?? null));
  const whole: Stamp = stamp !== null && 'ms' in stamp ? stamp : given;
  expect(() => clock.receive(whole, 1000)).toThrow(
    expect.objectContaining({ code: 'invalid-argument', rule: 'stamp' }),
  );
  expect(clock.last).toBeNull();
  expect(clock.send(1000)).toEqual({ ms: 1000, logical: 0 });
});

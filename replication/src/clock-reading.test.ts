import fc from 'fast-check';
import { expect, test } from 'vitest';
import { betterReading, type ClockReading, readAfter, readingOf } from './clock-reading.ts';

const good = readingOf(1_000_000, 100, 101);

test('a reading counts for the middle of its round trip', () => {
  expect(good).toEqual({ offsetMs: 999_899.5, errorMs: 0.5, readAtMs: 101 });
});

test('a process that was stopped between asking and hearing keeps the better reading', () => {
  const stopped = readingOf(1_001_000.2, 1100, 9100);
  expect(betterReading(good, stopped)).toBe(good);
  expect(betterReading(null, stopped)).toBe(stopped);
});

test('a clock that was set is followed at once, forwards and backwards', () => {
  for (const byMs of [-30_000, 30_000]) {
    const set = readingOf(1_001_000 + byMs, 1100, 1200);
    expect(betterReading(good, set)).toBe(set);
  }
});

test('a clock that was set while the server stood still is read once more', async () => {
  for (const held of [good, null]) {
    const asked = [readingOf(1_019_100, 1100, 9100), readingOf(1_019_101, 9100, 9102)];
    const reading = await readAfter(held, async () => asked.shift() ?? good);
    expect(reading).toEqual({ offsetMs: 1_010_000, errorMs: 1, readAtMs: 9102 });
  }
});

test('a server that is slow and well is asked once', async () => {
  for (const held of [good, readingOf(1_000_400, 100, 900)]) {
    const asked = [readingOf(1_001_300, 1000, 1800)];
    const reading = await readAfter(held, async () => asked.shift() ?? Promise.reject(new Error('again')));
    expect(Math.abs(reading.offsetMs - 999_899.5)).toBeLessThan(1);
  }
});

test('what is held is never further from the truth than drift and the errors allow', () => {
  const trip = fc.record({
    pauseMs: fc.double({ min: 100, max: 5000, noNaN: true }),
    thereMs: fc.double({ min: 0.1, max: 500, noNaN: true }),
    backMs: fc.double({ min: 0.1, max: 9000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(trip, { minLength: 1, maxLength: 30 }), (trips) => {
      let [nowMs, held, leastErrorMs]: [number, ClockReading | null, number] = [0, null, Infinity];
      for (const { pauseMs, thereMs, backMs } of trips) {
        nowMs += pauseMs;
        const answerMs = nowMs + thereMs + 5_000_000;
        held = betterReading(held, readingOf(answerMs, nowMs, nowMs + thereMs + backMs));
        leastErrorMs = Math.min(leastErrorMs + 2e-4 * (pauseMs + thereMs + backMs), (thereMs + backMs) / 2);
        nowMs += thereMs + backMs;
        expect(Math.abs(held.offsetMs - 5_000_000)).toBeLessThanOrEqual(leastErrorMs + 1e-6);
      }
    }),
  );
});

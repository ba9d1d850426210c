import { expect, test } from 'vitest';
import { Confirmed } from './confirmed.ts';
import { GaugeJudge } from './gauge-judge.ts';

/** What an RPO is held against each second, while all that the peer gets is a second old. */
function judged(shownMs: (second: number) => number, cutFromS: number): readonly string[] {
  const confirmed = new Confirmed();
  const judge = new GaugeJudge();
  for (let second = 1; second <= 60; second++) {
    const nowMs = second * 1000;
    const reached = { nowMs: nowMs - 1000, beforeMs: nowMs - 2000 };
    const mostMs = nowMs - confirmed.sinceMs(reached, second < cutFromS);
    judge.judgeAge({ gauge: 'rpo', place: 'eu of us', shownMs: shownMs(second), leastMs: 0, mostMs });
  }
  return judge.violations.map(({ detail }) => detail);
}

test('behind a cut an RPO grows with the cut, and is too high beyond that', () => {
  const right = (second: number): number => (second < 20 ? 900 : (second - 18) * 1000);
  expect(judged(right, 20)).toEqual([]);
  expect(judged((second) => right(second) * 1.04, 20)).toEqual([]);
  const tooHigh = judged((second) => right(second) * 1.2, 20);
  expect(tooHigh.length).toBeGreaterThan(20);
  expect(tooHigh.at(-1)).toBe('rpo of 50400 ms, in truth 0 to 43000');
});

test('while nothing is in the way it may be no older than what the peer has', () => {
  expect(judged(() => 1900, 100)).toEqual([]);
  expect(judged((second) => (second < 30 ? 900 : 2500), 100)).not.toEqual([]);
});

test('before anything was confirmed nobody knows how high it may be', () => {
  expect(judged(() => 1e9, 0)).toEqual([]);
});

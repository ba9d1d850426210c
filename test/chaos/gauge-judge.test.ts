import { expect, test } from 'vitest';
import { GaugeJudge } from './gauge-judge.ts';

const backlog = (shown: number | null) =>
  ({ gauge: 'backlog', place: 'us of eu', shown, least: 10, most: 20 }) as const;
const lag = (shownMs: number | null) =>
  ({ gauge: 'lag', place: 'us of eu', shownMs, leastMs: 2000, mostMs: 3000 }) as const;

test('too few is a violation at once, unknown is none', () => {
  const judge = new GaugeJudge();
  for (const shown of [null, 10, 21]) judge.judgeCount(backlog(shown));
  expect(judge.violations).toEqual([]);
  judge.judgeCount(backlog(9));
  judge.judgeAge(lag(999));
  expect(judge.violations.map(({ detail }) => detail)).toEqual([
    'backlog of 9, in truth 10 to 20',
    'lag of 999 ms, in truth 2000 to 3000',
  ]);
  expect(judge.figures).toEqual({ readings: 1, worstMs: 1001, counts: 3, backlogs: 3 });
});

test('too much is one where it stays, and a right reading in between forgets it', () => {
  const judge = new GaugeJudge();
  for (const shown of [22, 22, 22, 20, 22, 22, 22]) judge.judgeCount(backlog(shown));
  for (let count = 0; count < 3; count++) judge.judgeAge(lag(4001));
  expect(judge.violations).toEqual([]);
  judge.judgeCount(backlog(22));
  judge.judgeAge(lag(4001));
  expect(judge.violations).toHaveLength(2);
});

test('in the moment in which a clock is set no age is too high, and one may still be too low', () => {
  const judge = new GaugeJudge();
  judge.clockSet();
  for (let count = 0; count < 9; count++) judge.judgeAge(lag(60_000));
  expect(judge.violations).toEqual([]);
  judge.judgeAge(lag(0));
  expect(judge.violations).toHaveLength(1);
});

test('a gauge that says nothing all the time is told, and one that is known often enough is not', () => {
  const judge = new GaugeJudge();
  for (let count = 0; count < 9; count++) judge.judgeAge(lag(null));
  judge.judgeCount(backlog(null));
  const silent = (): readonly string[] =>
    judge.silent(['us of eu']).map(({ key, detail }) => `${key}: ${detail.split(',')[0] ?? ''}`);
  expect(silent()).toEqual([
    'us of eu: lag was known in 0 readings',
    'us of eu: rpo was known in 0 readings',
    'us of eu: backlog was known in 0 readings',
    'us of eu: rpo changes was known in 0 readings',
  ]);
  for (let count = 0; count < 5; count++) judge.judgeAge(lag(2500));
  judge.judgeCount(backlog(15));
  expect(silent()).toHaveLength(2);
});

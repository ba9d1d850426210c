import type { Point } from '@isthmus/loadtest/report/plot';
import { expect, test } from 'vitest';
import { flatnessOf } from './flatness.ts';

const curve = (at: (second: number) => number): readonly Point[] =>
  Array.from({ length: 100 }, (_, second) => [second, at(second)] as const);

test('a level curve is flat, whatever its warm-up did', () => {
  expect(
    flatnessOf(
      curve((second) => (second < 20 ? 10 * second : 100)),
      100,
      0,
    ),
  ).toMatchObject({ isFlat: true, growth: 1 });
});

test('a spike is no growth', () => {
  expect(
    flatnessOf(
      curve((second) => (second % 10 === 9 ? 900 : 100)),
      100,
      0,
    )?.isFlat,
  ).toBe(true);
});

test('steady growth beyond the slack is not flat, and within it is', () => {
  const growing = curve((second) => 10 + second);
  expect(flatnessOf(growing, 100, 5)?.isFlat).toBe(false);
  expect(flatnessOf(growing, 100, 80)?.isFlat).toBe(true);
});

test('too few points are not judged', () => {
  expect(flatnessOf(curve(() => 1).slice(0, 30), 100, 0)).toBeNull();
});

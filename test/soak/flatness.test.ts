import type { Point } from '@isthmus/loadtest/report/plot';
import { type Random, randomFrom } from '@isthmus/loadtest/random';
import { describe, expect, test } from 'vitest';
import { addedOf, type Flatness, flatnessOf } from './flatness.ts';

const totalS = 3600;
const everyS = 5;
const judgement = { totalS, least: 0 };
const seeds = Array.from({ length: 25 }, (_, seed) => seed);

/** As the recorder reads it. */
function hour(at: (second: number) => number): readonly Point[] {
  return Array.from({ length: totalS / everyS }, (_, index) => [index * everyS, at(index * everyS)] as const);
}

/** Nearly normal, with a mean of 0 and a deviation of 1. */
function noise(next: Random): number {
  return Array.from({ length: 12 }, next).reduce((sum, each) => sum + each, -6);
}

/** Of 100 that are held, growing by this share in an hour, with noise of this share in each reading. */
function held(seed: number, { growth, noisy }: { readonly growth: number; readonly noisy: number }) {
  const next = randomFrom(seed);
  return hour((second) => 100 * (1 + growth * (second / 3600) + noisy * noise(next)));
}

function verdicts(judged: readonly (Flatness | null)[]): readonly string[] {
  return [...new Set(judged.map((each) => each?.verdict ?? 'too short'))];
}

describe('what is held', () => {
  test('is flat whatever its warm-up did, and whatever spikes there are', () => {
    expect(
      flatnessOf(
        hour((second) => (second < 700 ? second / 8 : 100)),
        judgement,
      ),
    ).toMatchObject({ verdict: 'flat', first: 100, last: 100, growth: { found: 0 } });
    expect(
      flatnessOf(
        hour((second) => (second % 50 < 10 ? 900 : 100)),
        judgement,
      )?.verdict,
    ).toBe('flat');
  });

  test('does not grow by noise alone', () => {
    const found = seeds.map((seed) => flatnessOf(held(seed, { growth: 0, noisy: 0.03 }), judgement));
    expect(verdicts(found)).toEqual(['flat']);
    const loud = seeds.map((seed) => flatnessOf(held(seed, { growth: 0, noisy: 0.3 }), judgement));
    expect(verdicts(loud)).not.toContain('grows');
    expect(verdicts(loud)).toContain('noisy');
  });

  test('grows where it leaks a twentieth in an hour, or a tenth where there is twice the noise', () => {
    for (const [growth, noisy] of [
      [0.05, 0],
      [0.05, 0.015],
      [0.1, 0.03],
    ] as const) {
      const found = seeds.map((seed) => flatnessOf(held(seed, { growth, noisy }), judgement));
      expect(verdicts(found), `noise of ${noisy}`).toEqual(['grows']);
    }
  });

  test('grows where it does so in steps, and shrinks where it shrinks', () => {
    expect(
      flatnessOf(
        hour((second) => 100 + Math.floor(second / 900) * 5),
        judgement,
      )?.verdict,
    ).toBe('grows');
    expect(
      flatnessOf(
        hour((second) => 100 - second / 60),
        judgement,
      )?.verdict,
    ).toBe('flat');
  });

  test('is a saw where segments are made and taken away, with a leak in it or without', () => {
    for (const periodS of [17, 47, 180, 300]) {
      const saw = (second: number): number => 1 + 15 * ((second % periodS) / periodS);
      expect(flatnessOf(hour(saw), judgement)?.verdict, `${periodS} s`).not.toBe('grows');
    }
    const quick = (second: number): number => 1 + 15 * ((second % 47) / 47);
    expect(flatnessOf(hour(quick), judgement)?.verdict).toBe('flat');
    const leaking = hour((second) => quick(second) + (second / 3600) * 3);
    expect(flatnessOf(leaking, judgement)?.verdict).toBe('grows');
  });

  test('may grow by less than the least that counts', () => {
    const growing = held(1, { growth: 0.05, noisy: 0 });
    expect(flatnessOf(growing, { totalS, least: 3 })?.verdict).toBe('grows');
    expect(flatnessOf(growing, { totalS, least: 5 })?.verdict).toBe('flat');
  });

  test('is not judged where that is too short or whoever holds it was mostly away', () => {
    const level = hour(() => 1);
    expect(flatnessOf(level, { totalS: 1700, least: 0 })).toBeNull();
    expect(
      flatnessOf(
        level.filter(([atS]) => atS < 2000),
        judgement,
      ),
    ).toBeNull();
    const away = level.filter(([atS]) => atS % 200 < 100);
    expect(flatnessOf(away, judgement)?.verdict).toBe('flat');
  });
});

describe('what is written to', () => {
  const added = (points: readonly Point[]): Flatness | null => flatnessOf(addedOf(points), judgement);

  test('grows as it should, also where old segments are taken away', () => {
    const next = randomFrom(7);
    const steady = hour((second) => 14 + second / 160 + noise(next) * 0.002);
    expect(added(steady)).toMatchObject({ verdict: 'flat' });
    expect(added(steady)?.first).toBeCloseTo(60 / 160, 1);
    const segments = hour((second) => 14 + second / 160 - Math.floor(second / 900) * 5);
    expect(added(segments)?.verdict).toBe('flat');
  });

  test('must not grow faster and faster', () => {
    const faster = hour((second) => 14 + (second / 160) * (1 + (0.2 * second) / 3600));
    expect(added(faster)?.verdict).toBe('grows');
  });
});

import type { Point } from '@isthmus/loadtest/report/plot';
import { expect, test } from 'vitest';
import { hasFailed, htmlOf, jsonOf, type Soak, textOf } from './report.ts';

const minute = (at: (second: number) => number): readonly Point[] =>
  Array.from({ length: 60 }, (_, second) => [second, at(second)] as const);

function soakWith(points: readonly Point[], violations: readonly string[] = []): Soak {
  return {
    about: {
      startedAt: '2026-01-01T00:00:00.000Z',
      commit: 'abc1234',
      machine: '2 x <a machine>',
      minutes: 1,
      ratePerS: 200,
      seed: 7,
      log: 'kafka',
    },
    totals: { acknowledged: 12_000, refused: 1, unknown: 2, shed: 3 },
    faults: [{ name: 'kafka of eu killed', fromS: 10, untilS: 15, healedAfterS: 2.5 }],
    curves: [{ region: 'eu', name: 'eu', measure: 'regionMb', points }],
    violations,
  };
}

test('a flat curve passes, and text, JSON and page say so', () => {
  const soak = soakWith(minute(() => 120));
  expect(hasFailed(soak)).toBe(false);
  expect(textOf(soak)).toContain('eu  Resident memory of the region process: 120 -> 120 MiB, flat');
  expect(JSON.parse(jsonOf(soak))).toMatchObject({
    flatness: [{ region: 'eu', flatness: { isFlat: true } }],
  });
  const page = htmlOf(soak);
  expect(page).toContain('120 -&gt; 120 MiB, flat');
  expect(page).toContain('<svg');
  expect(page).toContain('kafka of eu killed');
  expect(page).not.toContain('<a machine>');
});

test('a curve that grows fails', () => {
  const soak = soakWith(minute((second) => 100 + 3 * second));
  expect(hasFailed(soak)).toBe(true);
  expect(textOf(soak)).toContain('GROWS');
});

test('a violation fails, however flat the curves', () => {
  const soak = soakWith(
    minute(() => 120),
    ['eu soak-counter-1 reads 3, acknowledged 4, unknown '],
  );
  expect(hasFailed(soak)).toBe(true);
  expect(textOf(soak)).toContain('reads 3, acknowledged 4');
});

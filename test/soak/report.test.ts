import type { Point } from '@isthmus/loadtest/report/plot';
import { expect, test } from 'vitest';
import { hasFailed, htmlOf, jsonOf, type Soak, textOf } from './report.ts';

const hour = (at: (minute: number) => number): readonly Point[] =>
  Array.from({ length: 600 }, (_, index) => [index * 6, at(index / 10)] as const);

function soakWith(points: readonly Point[], violations: readonly string[] = []): Soak {
  return {
    about: {
      startedAt: '2026-01-01T00:00:00.000Z',
      commit: 'abc1234',
      machine: '2 x <a machine>',
      minutes: 60,
      ratePerS: 200,
      seed: 7,
      log: 'kafka',
      hasFaults: true,
    },
    totals: { acknowledged: 700_000, refused: 1, unknown: 2, shed: 3 },
    faults: [{ name: 'kafka of eu killed', fromS: 10, untilS: 15, healedAfterS: 2.5 }],
    curves: [{ region: 'eu', name: 'eu', measure: 'regionMb', points }],
    violations,
  };
}

test('a flat curve passes, and text, JSON and page say so', () => {
  const soak = soakWith(hour(() => 120));
  expect(hasFailed(soak)).toBe(false);
  expect(textOf(soak)).toContain(
    'eu  Resident memory of the region process: 120 -> 120 MiB, flat: 0.0 % an hour, between 0.0 % and 0.0 %',
  );
  expect(JSON.parse(jsonOf(soak))).toMatchObject({
    flatness: [{ region: 'eu', flatness: { verdict: 'flat' } }],
  });
  const page = htmlOf(soak);
  expect(page).toContain('120 -&gt; 120 MiB, flat');
  expect(page).toContain('<svg');
  expect(page).toContain('kafka of eu killed');
  expect(page).not.toContain('<a machine>');
});

test('a curve that grows fails', () => {
  const soak = soakWith(hour((minute) => 100 + 0.2 * minute));
  expect(hasFailed(soak)).toBe(true);
  expect(textOf(soak)).toContain('103 -> 112 MiB, GROWS by 11.2 % an hour');
});

test('a violation fails, however flat the curves', () => {
  const soak = soakWith(
    hour(() => 120),
    ['eu soak-counter-1 reads 3, acknowledged 4, unknown '],
  );
  expect(hasFailed(soak)).toBe(true);
  expect(textOf(soak)).toContain('reads 3, acknowledged 4');
});

test('a curve of which nobody can say that it is flat has not failed, and is not called so', () => {
  const soak = soakWith(hour((minute) => 100 + ((minute * 7919) % 97)));
  expect(hasFailed(soak)).toBe(false);
  expect(textOf(soak)).toContain('too noisy to be called flat');
});

test('the log grows as it is written to, and is judged by what a minute adds', () => {
  const { curves, ...rest } = soakWith(hour((minute) => 14 + 0.4 * minute));
  const log = { ...rest, curves: curves.map((curve) => ({ ...curve, measure: 'logMb' as const })) };
  expect(hasFailed(log)).toBe(false);
  expect(textOf(log)).toContain('The log on disk: 0.40 -> 0.40 MiB added in a minute, flat');
});

test('one in which hardly anything was acknowledged, no fault fired, or something was hardly read has failed', () => {
  const sound = soakWith(hour(() => 120));
  expect(hasFailed({ ...sound, faults: [] })).toBe(true);
  expect(hasFailed({ ...sound, faults: [], about: { ...sound.about, hasFaults: false } })).toBe(false);
  const idle = { ...sound, totals: { ...sound.totals, acknowledged: 350_000 } };
  expect(textOf(idle)).toContain('350000 writes of 720000 were acknowledged, at least 360000 are needed');
  expect(hasFailed(idle)).toBe(true);
  for (const points of [[], hour(() => 120).slice(0, 200)]) {
    const unread = soakWith(points);
    expect(hasFailed(unread)).toBe(true);
    expect(JSON.parse(jsonOf(unread))).toMatchObject({
      violations: ['eu  Resident memory of the region process: read too seldom to be judged'],
    });
    expect(hasFailed({ ...unread, about: { ...unread.about, minutes: 20, ratePerS: 1 } }), 'too short').toBe(
      false,
    );
  }
  expect(hasFailed({ ...sound, curves: [] })).toBe(true);
});

test('the memory of Kafka is not asked for where there is none', () => {
  const { curves, ...rest } = soakWith([]);
  const ofKafka = { ...rest, curves: curves.map((curve) => ({ ...curve, measure: 'kafkaMb' as const })) };
  const others = soakWith(hour(() => 120)).curves;
  const without = { ...ofKafka, curves: [...ofKafka.curves, ...others] };
  expect(hasFailed(without)).toBe(true);
  expect(hasFailed({ ...without, about: { ...rest.about, log: 'postgres' } })).toBe(false);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addSample,
  driftRate,
  type EchoTimes,
  errorNow,
  heldOffset,
  type OffsetSamples,
  sampleOf,
} from './clock-offset.ts';

/** An echo over paths that take these times, between clocks that differ by `aheadMs` (own minus peer). */
function echo(path: {
  atMs: number;
  outMs: number;
  stayMs: number;
  backMs: number;
  aheadMs: number;
}): EchoTimes {
  const { atMs, outMs, stayMs, backMs, aheadMs } = path;
  const t1 = atMs + outMs - aheadMs;
  return { t0: atMs, t1, t2: t1 + stayMs, t3: atMs + outMs + stayMs + backMs };
}

function measured(samples: OffsetSamples, times: EchoTimes): OffsetSamples {
  const sample = sampleOf(times);
  return sample === null ? samples : addSample(samples, sample);
}

test('symmetric paths give the offset exactly, its sign says that the own clock is ahead', () => {
  const times = echo({ atMs: 1000, outMs: 40, stayMs: 100, backMs: 40, aheadMs: 250 });
  expect(sampleOf(times)).toEqual({ offsetMs: 250, errorMs: 40, measuredAtMs: 1180 });
});

test('the true offset lies within the error whatever the paths took, also after drift', () => {
  const delay = fc.integer({ min: 0, max: 5000 });
  const path = fc.record({ outMs: delay, stayMs: delay, backMs: delay });
  const run = fc.record({
    aheadMs: fc.integer({ min: -1e7, max: 1e7 }),
    drift: fc.double({ min: -driftRate, max: driftRate, noNaN: true }),
    paths: fc.array(path, { minLength: 1, maxLength: 100 }),
  });
  fc.assert(
    fc.property(run, ({ aheadMs, drift, paths }) => {
      let samples: OffsetSamples = [];
      let nowMs = 0;
      for (const step of paths) {
        nowMs += 250;
        const at = aheadMs + drift * nowMs;
        samples = measured(samples, echo({ ...step, atMs: nowMs, aheadMs: at }));
      }
      const held = heldOffset(samples, nowMs);
      if (held === null) throw new TypeError('no sample was kept');
      const apartMs = Math.abs(held.offsetMs - (aheadMs + drift * nowMs));
      // The measurement ends up to 15 s after the beat, so the true offset has drifted a little meanwhile.
      expect(apartMs).toBeLessThanOrEqual(errorNow(held, nowMs) + 2 * driftRate * 15_000 + 1e-6);
    }),
  );
});

test('the least delay among recent samples wins, an old one loses to drift', () => {
  let samples: OffsetSamples = [];
  const far = { atMs: 0, outMs: 300, stayMs: 0, backMs: 10, aheadMs: 0 };
  samples = measured(samples, echo(far));
  samples = measured(samples, echo({ ...far, atMs: 250, outMs: 12 }));
  samples = measured(samples, echo({ ...far, atMs: 500, outMs: 400 }));
  expect(heldOffset(samples, 1000)?.errorMs).toBe(11);
  samples = measured(samples, echo({ ...far, atMs: 3_600_000, outMs: 20 }));
  expect(heldOffset(samples, 3_600_100)?.errorMs).toBe(15);
  expect(samples).toHaveLength(2);
});

test('what was measured before a long cut holds on against echoes that were on their way for all of it', () => {
  const aheadMs = 7;
  let samples = measured([], echo({ atMs: 0, outMs: 5, stayMs: 0, backMs: 5, aheadMs }));
  for (let at = 250; at < 20_000; at += 250)
    samples = measured(samples, echo({ atMs: at, outMs: 40, stayMs: 0, backMs: 5, aheadMs }));
  expect(heldOffset(samples, 20_000)?.offsetMs).toBe(aheadMs);
  for (let late = 0; late < 100; late++)
    samples = measured(samples, echo({ atMs: 20_000 + late, outMs: 600_000, stayMs: 0, backMs: 5, aheadMs }));
  const held = heldOffset(samples, 620_200);
  expect(held?.offsetMs).toBe(aheadMs);
  expect(held === null ? null : errorNow(held, 620_200)).toBeLessThan(150);
  expect(samples.length).toBeLessThanOrEqual(65);
});

test('without new samples the error grows with the wall clock', () => {
  const samples = measured([], echo({ atMs: 0, outMs: 5, stayMs: 0, backMs: 5, aheadMs: 7 }));
  const held = heldOffset(samples, 10);
  if (held === null) throw new TypeError('no sample was kept');
  expect(errorNow(held, 10)).toBe(5);
  expect(errorNow(held, 3_600_010)).toBe(5 + 720);
  expect(heldOffset([], 10)).toBeNull();
});

test('a clock that was set makes everything older forgotten', () => {
  const path = { atMs: 0, outMs: 1, stayMs: 0, backMs: 1, aheadMs: 0 };
  let samples = measured([], echo(path));
  samples = measured(samples, echo({ ...path, atMs: 250, outMs: 90, aheadMs: 60_000 }));
  expect(samples).toHaveLength(1);
  expect(heldOffset(samples, 400)?.offsetMs).toBeCloseTo(60_000, -2);
});

test('times that contradict each other are no sample', () => {
  expect(sampleOf({ t0: 10, t1: 5, t2: 6, t3: 9 })).toBeNull();
  expect(sampleOf({ t0: 0, t1: 8, t2: 5, t3: 9 })).toBeNull();
  expect(sampleOf({ t0: 0, t1: 0, t2: 100, t3: 50 })).toBeNull();
});

test('samples are bounded', () => {
  let samples: OffsetSamples = [];
  for (let at = 0; at < 30_000; at += 250)
    samples = measured(samples, echo({ atMs: at, outMs: 5, stayMs: 0, backMs: 5, aheadMs: 0 }));
  expect(samples).toHaveLength(64);
  expect(samples.at(-1)?.measuredAtMs).toBe(29_760);
});

/** Percentiles of known values. */
import { expect, it } from 'vitest';
import { Latency } from './histogram.ts';

it('gives percentiles of what was recorded, to three digits', () => {
  const latency = new Latency();
  for (let ms = 1; ms <= 1000; ms++) latency.record(ms);
  const { count, p50Ms, p99Ms, maxMs, curve } = latency.summary();
  expect(count).toBe(1000);
  expect(p50Ms).toBeCloseTo(500, -1);
  expect(p99Ms).toBeCloseTo(990, -1);
  expect(maxMs).toBeGreaterThanOrEqual(999);
  expect(curve.map(([, ms]) => ms)).toEqual(curve.map(([, ms]) => ms).toSorted((a, b) => a - b));
});

it('joins histograms and says nothing of an empty one', () => {
  const all = new Latency();
  expect(all.summary()).toMatchObject({ count: 0, p50Ms: 0, maxMs: 0 });
  for (const ms of [1, 3]) {
    const part = new Latency();
    part.record(ms);
    all.add(part);
  }
  expect(all.count).toBe(2);
  expect(all.summary().maxMs).toBeCloseTo(3, 2);
});

it('keeps what is out of range at its bounds', () => {
  const latency = new Latency();
  latency.record(-5);
  latency.record(1e12);
  expect(latency.summary().p50Ms).toBe(0);
  expect(latency.summary().maxMs).toBeGreaterThan(100_000);
});

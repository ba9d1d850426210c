import { expect, test } from 'vitest';
import { BusyPace, paceOf } from './busy-pace.ts';

test('a process with time to spare makes nobody wait, and one without begins a transaction every 20 ms', () => {
  expect(paceOf(0)).toBe(0);
  expect(paceOf(0.4)).toBe(0);
  expect(paceOf(0.7)).toBeCloseTo(10);
  expect(paceOf(1)).toBe(20);
});

test('what the process was busy with is found, and forgotten', async () => {
  const pace = new BusyPace();
  await new Promise<void>((resolve) => {
    const endMs = performance.now() + 300;
    const work = (): void => {
      const turnMs = performance.now() + 5;
      while (performance.now() < turnMs);
      if (performance.now() < endMs) setImmediate(work);
      else resolve();
    };
    setImmediate(work);
  });
  const busyMs = pace.paceMs();
  expect(busyMs).toBeGreaterThan(0);
  await expect.poll(pace.paceMs, { timeout: 10_000, interval: 100 }).toBeLessThan(busyMs);
});

import { expect, test } from 'vitest';
import { ManualTimer } from './adapters/memory/manual-timer.ts';
import { nextDueMs, Ticker } from './ticker.ts';

test('the next slot lies on the grid and in the future', () => {
  expect(nextDueMs(100, 100, 250)).toBe(350);
  expect(nextDueMs(100, 99.4, 250)).toBe(350);
  expect(nextDueMs(100, 349.9, 250)).toBe(350);
  expect(nextDueMs(100, 350, 250)).toBe(600);
  expect(nextDueMs(100, 5000, 250)).toBe(5100);
});

test('slow runs cause no drift', async () => {
  const timer = new ManualTimer();
  const startedAt: number[] = [];
  const ticker = new Ticker({
    timer,
    intervalMs: 250,
    run: () => {
      startedAt.push(timer.monotonicMs());
      return new Promise((resolve) => timer.after(90, resolve));
    },
  });
  ticker.start();
  await timer.advance(1000);
  expect(startedAt).toEqual([0, 250, 500, 750, 1000]);
  const stopped = ticker.stop();
  await timer.advance(1000);
  await stopped;
  expect(startedAt).toHaveLength(5);
});

test('a run that hangs makes its slots fall out, never pile up', async () => {
  const timer = new ManualTimer();
  const startedAt: number[] = [];
  const ticker = new Ticker({
    timer,
    intervalMs: 250,
    run: () => {
      startedAt.push(timer.monotonicMs());
      const takesMs = startedAt.length === 2 ? 1100 : 0;
      return new Promise((resolve) => timer.after(takesMs, resolve));
    },
  });
  ticker.start();
  await timer.advance(2000);
  expect(startedAt).toEqual([0, 250, 1500, 1750, 2000]);
  await ticker.stop();
});

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

test('tickers that are started at one moment run at once, and never together after that', async () => {
  const timer = new ManualTimer();
  const runs = new Map<number, number>();
  const tickers = Array.from({ length: 24 }, () => {
    const run = async () => {
      const atMs = timer.monotonicMs();
      runs.set(atMs, (runs.get(atMs) ?? 0) + 1);
    };
    return new Ticker({ timer, intervalMs: 250, run });
  });
  for (const ticker of tickers) ticker.start();
  await timer.advance(1000);
  expect(runs.get(0)).toBe(24);
  const later = [...runs.entries()].filter(([atMs]) => atMs > 0).toSorted(([a], [b]) => a - b);
  expect(later.map(([, count]) => count)).toEqual(Array.from({ length: 24 * 4 }, () => 1));
  const gaps = later.slice(1).map(([atMs], index) => atMs - (later[index]?.[0] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(4);
  await Promise.all(tickers.map((ticker) => ticker.stop()));
});

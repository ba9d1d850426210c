import { expect, test } from 'vitest';
import { pause } from './backoff.ts';
import { ManualTimer } from './adapters/memory/manual-timer.ts';

test('waits on one signal end apart by their times, and all together when it is aborted', async () => {
  const timer = new ManualTimer();
  const end = new AbortController();
  const waits = [100, 200, 300].map((durationMs) => pause(timer, durationMs, end.signal));
  await timer.advance(100);
  expect(await waits[0]).toBe(true);
  end.abort();
  expect(await Promise.all(waits)).toEqual([true, false, false]);
  expect(await pause(timer, 100, end.signal)).toBe(false);
});

test('listens to a signal once, however often somebody waits', async () => {
  const timer = new ManualTimer();
  const { signal } = new AbortController();
  let listeners = 0;
  const listen = signal.addEventListener.bind(signal);
  signal.addEventListener = (...heard: Parameters<typeof listen>) => {
    listeners++;
    listen(...heard);
  };
  for (let round = 0; round < 3; round++) {
    const wait = pause(timer, 10, signal);
    await timer.advance(10);
    expect(await wait).toBe(true);
  }
  expect(listeners).toBe(1);
});

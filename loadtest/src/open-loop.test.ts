/** The schedule, what counts as done, and that a slow answer does not slow the sending. */
import { expect, it } from 'vitest';
import { dueBy, openLoop } from './open-loop.ts';

const load = { ratePerS: 500, durationMs: 100, maxOutstanding: 1000, drainMs: 5_000 };

it('knows what is due', () => {
  expect([0, 9.9, 10, 1000].map((ms) => dueBy(ms, 100))).toEqual([1, 1, 2, 101]);
});

it('sends everything that is due, each piece once and in order', async () => {
  const sent: number[] = [];
  const result = await openLoop({ ...load, send: async (index) => void sent.push(index) });
  expect(sent).toEqual(Array.from({ length: 50 }, (_, index) => index));
  expect(result).toMatchObject({ due: 50, done: 50, failed: 0, dropped: 0 });
  expect(result.latency.count).toBe(50);
});

it('goes on sending while nothing answers, and counts from when a piece was due', async () => {
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let sent = 0;
  const result = await openLoop({
    ...load,
    send: async () => {
      if (++sent === 50) answer();
      await answered;
    },
  });
  expect(result.done).toBe(50);
  expect(result.latency.summary().maxMs).toBeGreaterThan(90);
});

it('drops what goes beyond its bound and counts failures apart', async () => {
  const never = new Promise<void>(() => undefined);
  const bounded = await openLoop({ ...load, maxOutstanding: 10, drainMs: 0, send: () => never });
  expect(bounded).toMatchObject({ due: 50, done: 0, dropped: 40 });
  const failing = await openLoop({ ...load, send: () => Promise.reject(new RangeError('no')) });
  expect(failing).toMatchObject({ done: 0, failed: 50, firstFailure: 'no' });
});

it('sends nothing more once it is ended, and waits for what was sent', async () => {
  const ended = new AbortController();
  const sent: number[] = [];
  const result = await openLoop({
    ...load,
    durationMs: 3_600_000,
    signal: ended.signal,
    send: async (index) => {
      sent.push(index);
      if (index === 20) ended.abort();
      await Promise.resolve();
    },
  });
  expect(result.due).toBe(sent.length);
  expect(result).toMatchObject({ done: sent.length, failed: 0 });
});

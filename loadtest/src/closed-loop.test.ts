/** Callers that wait: never more under way than there are, all counted, and none goes on after a failure. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { closedLoop, perSecond } from './closed-loop.ts';

it('has one piece of each caller under way, and waits for the last of them', async () => {
  const underWay = new Set<number>();
  let most = 0;
  let sent = 0;
  const { done, elapsedMs } = await closedLoop({
    callers: 4,
    durationMs: 30,
    send: async (caller) => {
      expect(underWay.has(caller)).toBe(false);
      underWay.add(caller);
      most = Math.max(most, underWay.size);
      await turn();
      underWay.delete(caller);
      sent++;
    },
  });
  expect(most).toBe(4);
  expect(underWay.size).toBe(0);
  expect(done).toBe(sent);
  expect(done).toBeGreaterThanOrEqual(4);
  expect(elapsedMs).toBeGreaterThanOrEqual(30);
});

it('fails with the first failure, after those under way have ended, and begins nothing more', async () => {
  let begun = 0;
  let ended = 0;
  const running = closedLoop({
    callers: 3,
    durationMs: 60_000,
    send: async (caller) => {
      begun++;
      if (caller === 1) throw new Error('refused');
      await turn();
      ended++;
    },
  });
  await expect(running).rejects.toThrow('refused');
  expect({ begun, ended }).toEqual({ begun: 3, ended: 2 });
});

it('is a rate by its own time', () => {
  expect(perSecond({ done: 100, elapsedMs: 500 })).toBe(200);
});

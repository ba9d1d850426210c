/**
 * The timer of the running process. It must only be handed in where engine and adapters are joined. Node counts whole
 * milliseconds from a moment that it has rounded down, so it may call a millisecond too early, and calls at once what lies
 * more than 31 bits of them ahead: whoever is called here looks whether the moment has come, and else waits for the rest.
 */
import { performance } from 'node:perf_hooks';
import type { Timer } from '../../ports/timer.ts';

const longestWaitMs = 2 ** 31 - 1;

export const systemTimer: Timer = {
  monotonicMs: () => performance.now(),
  after(delayMs, fire) {
    const dueMs = performance.now() + delayMs;
    const wait = (): NodeJS.Timeout => {
      const restMs = Math.ceil(dueMs - performance.now());
      return setTimeout(look, Math.min(restMs, longestWaitMs));
    };
    const look = (): void => {
      if (performance.now() >= dueMs) fire();
      else handle = wait();
    };
    let handle = wait();
    return () => clearTimeout(handle);
  },
  turn(fire) {
    setImmediate(fire);
  },
};

/** The timer of the running process. It must only be handed in where engine and adapters are joined. */
import { performance } from 'node:perf_hooks';
import type { Timer } from '../../ports/timer.ts';

export const systemTimer: Timer = {
  monotonicMs: () => performance.now(),
  after(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    return () => clearTimeout(handle);
  },
  turn(fire) {
    setImmediate(fire);
  },
};

/**
 * Waiting between attempts: doubling from a tenth of a second to a ceiling of two seconds, so that recovery is noticed
 * soon and a broken neighbour is not hammered. The wait ends at once when its signal is aborted.
 */
import type { Timer } from './ports/timer.ts';

const firstMs = 100;
const ceilingMs = 2000;

/** Attempt 0 is the first retry. */
export function backoffMs(attempt: number): number {
  return Math.min(ceilingMs, firstMs * 2 ** Math.min(attempt, 10));
}

/** `false` where the signal ended the wait. */
export function pause(timer: Timer, durationMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const cancel = timer.after(durationMs, () => {
      signal.removeEventListener('abort', abort);
      resolve(true);
    });
    const abort = (): void => {
      cancel();
      resolve(false);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}

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

/** What to end when a signal is aborted: one listener for all waits, because listening costs more than a timer. */
const ends = new WeakMap<AbortSignal, Set<() => void>>();

function endsOf(signal: AbortSignal): Set<() => void> {
  const known = ends.get(signal);
  if (known !== undefined) return known;
  const waits = new Set<() => void>();
  ends.set(signal, waits);
  signal.addEventListener('abort', () => waits.forEach((end) => end()), { once: true });
  return waits;
}

/** `false` where the signal ended the wait. */
export function pause(timer: Timer, durationMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  const waits = endsOf(signal);
  return new Promise((resolve) => {
    const cancel = timer.after(durationMs, () => {
      waits.delete(end);
      resolve(true);
    });
    const end = (): void => {
      waits.delete(end);
      cancel();
      resolve(false);
    };
    waits.add(end);
  });
}

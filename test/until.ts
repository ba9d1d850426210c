/**
 * Waiting in tests: for a condition, with a deadline, and with what was last seen when it passes in vain. The longer it
 * has waited, the longer it rests between two looks: looking takes time from the servers that are waited for.
 */
import { setTimeout as delay } from 'node:timers/promises';

const leastPauseMs = 20;
const mostPauseMs = 100;
/** Of the time that was waited. */
const pauseShare = 0.02;

export async function until<T>(
  what: string,
  deadlineMs: number,
  probe: () => Promise<T | null | false> | T | null | false,
): Promise<T> {
  const startedMs = performance.now();
  let last: unknown = 'nothing';
  for (;;) {
    const lookedMs = performance.now();
    try {
      const found = await probe();
      if (found !== null && found !== false) return found;
      last = found;
    } catch (reason) {
      last = reason;
    }
    const nowMs = performance.now();
    const waitedMs = nowMs - startedMs;
    if (waitedMs > deadlineMs) {
      const seen = last instanceof Error ? last.message : String(last);
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${seen}`, { cause: last });
    }
    // What takes long to see is not looked for again at once.
    const pauseMs = Math.max(leastPauseMs, pauseShare * waitedMs, nowMs - lookedMs);
    await delay(Math.min(pauseMs, mostPauseMs));
  }
}

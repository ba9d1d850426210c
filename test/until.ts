/**
 * Waiting in tests: for a condition, with a deadline, and with what was last seen when it passes in vain.
 */
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 20;

export async function until<T>(
  what: string,
  deadlineMs: number,
  probe: () => Promise<T | null | false> | T | null | false,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown = 'nothing';
  for (;;) {
    try {
      const found = await probe();
      if (found !== null && found !== false) return found;
      last = found;
    } catch (reason) {
      last = reason;
    }
    if (performance.now() > endMs) {
      const seen = last instanceof Error ? last.message : String(last);
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${seen}`, { cause: last });
    }
    await delay(pollMs);
  }
}

/**
 * Waits until nothing is under way, so that one measured stretch does not pay for another: until the target's count of
 * applied changes stands still. It changes nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readApplied } from './applied.ts';
import type { Demo } from './demo.ts';
import { LoadError } from './errors.ts';

const pollMs = 300;
const quietReadings = 2;
const timeoutMs = 120_000;

export async function settle(demo: Demo): Promise<number> {
  const endMs = performance.now() + timeoutMs;
  let { changes } = await readApplied(demo);
  for (let quiet = 0; quiet < quietReadings; ) {
    if (performance.now() > endMs)
      throw new LoadError('not-in-time', `changes were still arriving after ${timeoutMs} ms`);
    await delay(pollMs);
    const reading = await readApplied(demo);
    quiet = reading.changes === changes ? quiet + 1 : 0;
    changes = reading.changes;
  }
  return changes;
}

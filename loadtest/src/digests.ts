/** What regions show of the collection that is written: the same digest is the same live data. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { LoadError } from './errors.ts';
import { collection } from './workload.ts';

const pollMs = 250;
const digest = z.object({ digest: z.string() });

/** `admins`: base addresses of the regions' admin listeners. */
export async function untilEqual(admins: readonly string[], timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const digests = await Promise.all(admins.map(digestOf));
    if (new Set(digests).size === 1) return;
    if (performance.now() > endMs)
      throw new LoadError('not-in-time', `the regions were not equal within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}

async function digestOf(admin: string): Promise<string> {
  const response = await fetch(`${admin}/v1/digests/${collection}`);
  if (!response.ok) throw new LoadError('unexpected-answer', `a digest was answered ${response.status}`);
  return digest.parse(await response.json()).digest;
}

/** Waits until a region has handed to its own log what it committed, as far as its slot shows. It changes nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadError } from './errors.ts';

const timeoutMs = 120_000;
const pollMs = 100;
/** Beats alone keep the slot this close to the end. */
const publishedBelowBytes = 2 * 1024 * 1024;

/** The slot retains what the relay has not yet handed to the log. `admin` is the base address of the region's listener. */
export async function untilPublished(admin: string): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const text = await (await fetch(`${admin}/metrics`)).text();
    const retained = /^isthmus_retained_wal_bytes (\S+)$/m.exec(text)?.[1];
    if (retained !== undefined && Number(retained) < publishedBelowBytes) return;
    if (performance.now() > endMs)
      throw new LoadError('not-in-time', `what was written was not published within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}

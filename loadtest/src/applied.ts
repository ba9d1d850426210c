/**
 * How much of the origin's writes the target has applied, from the target's own metrics: the cumulative number of
 * changes in its apply transactions. Reading it costs the target one scrape, so it is read a few times a second, not
 * more. It counts from the region process's start; callers compare two readings.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Demo } from './demo.ts';
import { LoadError } from './errors.ts';

const pollMs = 250;
/** Where the count begins and ends, time matters more. */
const edgePollMs = 25;
const edgeShare = 0.1;
const scrapeTimeoutMs = 10_000;

export interface AppliedReading {
  readonly atMs: number;
  readonly changes: number;
}

export async function readApplied(demo: Demo): Promise<AppliedReading> {
  const response = await fetch(`${demo.target.admin}/metrics`, {
    signal: AbortSignal.timeout(scrapeTimeoutMs),
  });
  const text = await response.text();
  return { atMs: performance.now(), changes: appliedIn(text, demo.origin.region) };
}

/** Zero where nothing was applied yet: the metric has no line before. */
export function appliedIn(metrics: string, origin: string): number {
  const start = `isthmus_apply_batch_changes_sum{origin="${origin}"} `;
  const line = metrics.split('\n').find((each) => each.startsWith(start));
  return line === undefined ? 0 : Number(line.slice(start.length));
}

interface Wanted {
  /** Applied before the first of them. */
  readonly base: number;
  readonly count: number;
  readonly timeoutMs: number;
}

/** Resolves with the readings taken until all were applied; they come closer together towards the end. */
export async function untilApplied(demo: Demo, wanted: Wanted): Promise<readonly AppliedReading[]> {
  const { base, count, timeoutMs } = wanted;
  const readings: AppliedReading[] = [];
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const reading = await readApplied(demo);
    readings.push(reading);
    const missing = base + count - reading.changes;
    if (missing <= 0) return readings;
    if (reading.atMs > endMs)
      throw new LoadError(
        'not-in-time',
        `${demo.target.region} applied ${count - missing} of ${count} changes within ${timeoutMs} ms`,
      );
    const isEdge = reading.changes <= base || missing < count * edgeShare;
    await delay(isEdge ? edgePollMs : pollMs);
  }
}

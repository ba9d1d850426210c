/**
 * What a campaign came to: how fast, how much each seed really did, and whether everything that should happen now and
 * then did happen. A campaign in which something never happened proves less than it seems to, so it fails.
 */
import type { Violation } from '../checkers/history.ts';
import type { SeedResult } from './seed-result.ts';

/** Things that a campaign of some size must have met. */
export const sometimes: readonly string[] = [
  'conflict resolved',
  'fence used',
  'gap seen: missing-interval',
  'quarantine',
  'record refused',
  'records sent twice',
  'poison',
  'writes batched',
  'guard refused',
  'region waits for its peers',
  'write refused while joining',
  'first write of a region that came late',
  'barrier finished',
  'tombstone dropped',
  'transfer: gap',
  'transfer: slot-lost',
  'identity proven',
  'identity refused',
  'incarnation changed',
  'database restored',
  'incident declared',
  'incident reconciled',
  'long cut',
  'read again',
  'lock lost',
  'publish repeated',
  'counts not stored',
  'unknown outcome',
  'killed before commit',
  'killed after commit',
  'killed before apply',
  'killed after apply',
  'killed after publish',
  'killed after published',
  'crash lost unflushed commits',
  'process took over',
  'region destroyed with loss',
];

/** From so many seeds on the list must be complete. */
const completeFrom = 200;

const least = { virtualMs: 60_000, acknowledged: 300, overlaps: 2 };

export interface Report {
  readonly text: string;
  readonly isPassed: boolean;
}

/** What this run of the program did itself; the rest comes from a results file. */
export interface Effort {
  readonly fresh: readonly SeedResult[];
  readonly tookMs: number;
}

export function reportOn(results: readonly SeedResult[], effort: Effort): Report {
  const failed = results.filter(({ violations }) => violations.length > 0);
  const counts = new Map<string, number>();
  for (const { coverage } of results)
    for (const [point, count] of Object.entries(coverage))
      counts.set(point, (counts.get(point) ?? 0) + count);
  const never = sometimes.filter((point) => !counts.has(point));
  const isCovered = never.length === 0 || results.length < completeFrom;
  const medians = {
    virtualMs: median(results.map((result) => result.virtualMs)),
    acknowledged: median(results.map((result) => result.acknowledged)),
    overlaps: median(results.map((result) => result.overlaps)),
  };
  const isBusy =
    medians.virtualMs >= least.virtualMs &&
    medians.acknowledged >= least.acknowledged &&
    medians.overlaps >= least.overlaps;
  const lines = [
    `${results.length} seeds, ${failed.length} failed, ${results.filter(({ isTwice }) => isTwice).length} run twice`,
    rateOf(effort),
    `medians per seed: ${Math.round(medians.virtualMs / 1000)} virtual seconds, ` +
      `${medians.acknowledged} acknowledged writes, ${medians.overlaps} overlapping faults`,
    ...[...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([point, count]) => `  ${point}: ${count}`),
    ...never.map((point) => `  never: ${point}`),
  ];
  if (!isBusy) lines.push(`a seed must do at least ${JSON.stringify(least)}`);
  return { text: `${lines.join('\n')}\n`, isPassed: failed.length === 0 && isCovered && isBusy };
}

function rateOf({ fresh, tookMs }: Effort): string {
  const virtualMs = sum(fresh, ({ virtualMs: ms, isTwice }) => (isTwice ? 2 * ms : ms));
  const cpuMs = sum(fresh, (result) => result.cpuMs);
  const rate = cpuMs === 0 ? 0 : Math.round(virtualMs / cpuMs);
  return (
    `${fresh.length} run now in ${Math.round(tookMs / 1000)} s: ` +
    `${Math.round(virtualMs / 1000)} virtual seconds, ${rate}x real time per core`
  );
}

export function describe({ checker, key, detail }: Violation): string {
  return `  ${checker}: ${key}: ${detail}`;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

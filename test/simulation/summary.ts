/** What a whole campaign came to, in figures that a page can show and that are kept when its results are not. */
import type { SeedResult } from './seed-result.ts';

export interface Summary {
  readonly seeds: number;
  readonly failed: number;
  /** Ran twice, with equal traces. */
  readonly twice: number;
  readonly virtualSeconds: number;
  readonly acknowledged: number;
  /** Of one seed. */
  readonly medians: {
    readonly virtualSeconds: number;
    readonly acknowledged: number;
    readonly overlappingFaults: number;
  };
  /** Virtual time over the time of one core. */
  readonly rate: number;
  /** How often each thing happened that happens now and then. */
  readonly coverage: Readonly<Record<string, number>>;
}

export function summaryOf(results: readonly SeedResult[]): Summary {
  const virtualMs = sum(results, (result) => result.virtualMs);
  const workedMs = sum(results, (result) => (result.isTwice ? 2 : 1) * result.virtualMs);
  const cpuMs = sum(results, (result) => result.cpuMs);
  return {
    seeds: results.length,
    failed: results.filter(({ violations }) => violations.length > 0).length,
    twice: results.filter(({ isTwice }) => isTwice).length,
    virtualSeconds: Math.round(virtualMs / 1000),
    acknowledged: sum(results, (result) => result.acknowledged),
    medians: {
      virtualSeconds: Math.round(median(results.map((result) => result.virtualMs)) / 1000),
      acknowledged: median(results.map((result) => result.acknowledged)),
      overlappingFaults: median(results.map((result) => result.overlaps)),
    },
    rate: cpuMs === 0 ? 0 : Math.round(workedMs / cpuMs),
    coverage: coverageOf(results),
  };
}

function coverageOf(results: readonly SeedResult[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { coverage } of results)
    for (const [point, count] of Object.entries(coverage))
      counts.set(point, (counts.get(point) ?? 0) + count);
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/**
 * What a whole campaign came to, in figures that a page can show and that are kept when its results are not. Two
 * summaries of the same engine and of different seeds add up to what one of all their seeds would be.
 */
import type { SeedResult } from '../seed-result.ts';

/** How many seeds came to each value. */
type Histogram = Readonly<Record<string, number>>;

interface Each<T> {
  readonly virtualSeconds: T;
  readonly acknowledged: T;
  readonly overlappingFaults: T;
}

export interface Summary {
  readonly seeds: number;
  readonly failed: number;
  /** Ran twice, with equal traces. */
  readonly twice: number;
  readonly virtualSeconds: number;
  readonly acknowledged: number;
  /** Of one seed. */
  readonly medians: Each<number>;
  /** Virtual time over the time of one core. */
  readonly rate: number;
  /** Seconds of processor time, and the virtual ones that it was spent on: of a seed that ran twice, both. */
  readonly spent: { readonly cpuSeconds: number; readonly virtualSeconds: number };
  /** First and last of each run of seeds that follow one another. */
  readonly ranges: readonly (readonly [number, number])[];
  /** How often each thing happened that happens now and then. */
  readonly coverage: Readonly<Record<string, number>>;
  /** Of single seeds, to find the medians of several summaries. */
  readonly histograms: Each<Histogram>;
}

export function summaryOf(results: readonly SeedResult[]): Summary {
  const histogram = (of: (result: SeedResult) => number): Histogram =>
    added(results.map((result) => ({ [of(result)]: 1 })));
  return withMedians({
    seeds: results.length,
    failed: results.filter(({ violations }) => violations.length > 0).length,
    twice: results.filter(({ isTwice }) => isTwice).length,
    virtualSeconds: sum(results, ({ virtualMs }) => virtualMs / 1000),
    acknowledged: sum(results, ({ acknowledged }) => acknowledged),
    spent: {
      cpuSeconds: sum(results, ({ cpuMs }) => cpuMs / 1000),
      virtualSeconds: sum(results, ({ isTwice, virtualMs }) => ((isTwice ? 2 : 1) * virtualMs) / 1000),
    },
    ranges: rangesOf(results.map(({ seed }) => [seed, seed])),
    coverage: added(results.map(({ coverage }) => coverage)),
    histograms: {
      virtualSeconds: histogram(({ virtualMs }) => Math.round(virtualMs / 1000)),
      acknowledged: histogram(({ acknowledged }) => acknowledged),
      overlappingFaults: histogram(({ overlaps }) => overlaps),
    },
  });
}

/** Of no seed twice: what both are of counts twice. */
export function together(a: Summary, b: Summary): Summary {
  const histogram = (name: keyof Each<Histogram>): Histogram =>
    added([a.histograms[name], b.histograms[name]]);
  return withMedians({
    seeds: a.seeds + b.seeds,
    failed: a.failed + b.failed,
    twice: a.twice + b.twice,
    virtualSeconds: a.virtualSeconds + b.virtualSeconds,
    acknowledged: a.acknowledged + b.acknowledged,
    spent: {
      cpuSeconds: a.spent.cpuSeconds + b.spent.cpuSeconds,
      virtualSeconds: a.spent.virtualSeconds + b.spent.virtualSeconds,
    },
    ranges: rangesOf([...a.ranges, ...b.ranges]),
    coverage: added([a.coverage, b.coverage]),
    histograms: {
      virtualSeconds: histogram('virtualSeconds'),
      acknowledged: histogram('acknowledged'),
      overlappingFaults: histogram('overlappingFaults'),
    },
  });
}

export function hasRun({ ranges }: Summary, seed: number): boolean {
  return ranges.some(([first, last]) => seed >= first && seed <= last);
}

function withMedians(counted: Omit<Summary, 'medians' | 'rate'>): Summary {
  const { histograms, spent } = counted;
  return {
    ...counted,
    medians: {
      virtualSeconds: median(histograms.virtualSeconds),
      acknowledged: median(histograms.acknowledged),
      overlappingFaults: median(histograms.overlappingFaults),
    },
    rate: spent.cpuSeconds === 0 ? 0 : Math.round(spent.virtualSeconds / spent.cpuSeconds),
  };
}

function rangesOf(parts: Summary['ranges']): Summary['ranges'] {
  const ranges: [number, number][] = [];
  for (const [first, last] of parts.toSorted(([a], [b]) => a - b)) {
    const before = ranges.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ranges.push([first, last]);
  }
  return ranges;
}

function added(parts: readonly Histogram[]): Histogram {
  const counts = new Map<string, number>();
  for (const part of parts)
    for (const [name, count] of Object.entries(part)) counts.set(name, (counts.get(name) ?? 0) + count);
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** The upper one of two in the middle. */
function median(histogram: Histogram): number {
  const counts = Object.entries(histogram)
    .map(([value, count]) => [Number(value), count] as const)
    .toSorted(([a], [b]) => a - b);
  let left = Math.floor(sum(counts, ([, count]) => count) / 2);
  for (const [value, count] of counts) {
    if (left < count) return value;
    left -= count;
  }
  return 0;
}

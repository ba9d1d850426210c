/**
 * What a load test says: measures with the spread over their runs, each beside its goal and, where it has one, its
 * anchor. A goal is met by the median and by nothing else. Arithmetic only; where values come from and how they are
 * shown is others' business.
 */
import { LoadError } from './errors.ts';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many runs. */
  readonly runs: number;
}

export interface Anchor extends Spread {
  readonly name: string;
  readonly unit: string;
}

export interface Measure extends Spread {
  readonly name: string;
  readonly unit: string;
  readonly anchor?: Anchor;
}

export type Goal =
  | { readonly kind: 'at most'; readonly value: number }
  | { readonly kind: 'at least'; readonly value: number };

export const goals: Readonly<Record<string, Goal>> = {
  commit_to_visible_p50_ms: { kind: 'at most', value: 2.5 },
  commit_to_visible_p99_ms: { kind: 'at most', value: 12 },
  write_ratio_to_raw_pg: { kind: 'at least', value: 1.2 },
  engine_write_ratio_to_raw_pg: { kind: 'at least', value: 2 },
  apply_ratio_to_native: { kind: 'at least', value: 1.5 },
  apply_ratio_to_native_batched: { kind: 'at least', value: 1.1 },
  link_bytes_ratio: { kind: 'at most', value: 0.4 },
  sustained_changes_per_s: { kind: 'at least', value: 25_000 },
  sustained_http_batch_per_s: { kind: 'at least', value: 20_000 },
  heal_to_equal_ms_per_100k: { kind: 'at most', value: 5_000 },
  transfer_records_per_s: { kind: 'at least', value: 40_000 },
  donor_write_p99_ratio: { kind: 'at most', value: 2 },
  region_rss_idle_mb: { kind: 'at most', value: 150 },
  region_rss_ratio_records: { kind: 'at most', value: 1.3 },
  region_rss_ratio_backlog: { kind: 'at most', value: 1.3 },
  region_rss_mb: { kind: 'at most', value: 300 },
  demo_ready_ms: { kind: 'at most', value: 10_000 },
};

/** `null`: the measure has no goal. */
export function meetsGoal({ name, median }: Pick<Measure, 'name' | 'median'>): boolean | null {
  const goal = goals[name];
  if (goal === undefined) return null;
  return goal.kind === 'at most' ? median <= goal.value : median >= goal.value;
}

export function measure(name: string, unit: string, values: readonly number[], anchor?: Anchor): Measure {
  return { name, unit, ...spreadOf(values), ...(anchor === undefined ? {} : { anchor }) };
}

/** Throws where there is no run. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined)
    throw new LoadError('not-in-time', 'a measure has no completed run');
  const middle = sorted.length / 2;
  const lower = sorted[Math.ceil(middle) - 1] ?? min;
  const upper = sorted[Math.floor(middle)] ?? max;
  return { median: (lower + upper) / 2, min, max, runs: sorted.length };
}

/** Each run's own ratio, because the two of one run shared the machine's mood. */
export function ratios(values: readonly number[], anchors: readonly number[]): readonly number[] {
  return values.flatMap((value, run) => {
    const anchor = anchors[run];
    return anchor === undefined || anchor === 0 ? [] : [value / anchor];
  });
}

/**
 * Whether a curve is flat once it is warm: the median of its last third against that of its first third, after the
 * warm-up. Medians, because a fault makes a spike that is no growth. A difference below the measure's own slack is no
 * growth either. Arithmetic only.
 */
import type { Point } from '@isthmus/loadtest/report/plot';

export const warmUpShare = 0.2;
const mostGrowth = 1.3;
/** With fewer points a third says nothing. */
const fewestPoints = 12;

export interface Flatness {
  readonly first: number;
  readonly last: number;
  readonly growth: number;
  readonly isFlat: boolean;
}

/** `null`: too short to be judged. Times in seconds. */
export function flatnessOf(points: readonly Point[], totalS: number, slack: number): Flatness | null {
  const warm = points.filter(([atS]) => atS >= totalS * warmUpShare);
  if (warm.length < fewestPoints) return null;
  const third = Math.floor(warm.length / 3);
  const first = medianOf(warm.slice(0, third));
  const last = medianOf(warm.slice(-third));
  const growth = last / Math.max(first, Number.MIN_VALUE);
  return { first, last, growth, isFlat: last - first <= slack || growth <= mostGrowth };
}

function medianOf(points: readonly Point[]): number {
  const sorted = points.map(([, value]) => value).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

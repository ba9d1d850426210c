/**
 * Whether what is held grows, once it is warm. The time after the warm-up is cut into blocks, of each of which only the
 * median counts, so that neither a spike nor a saw that is shorter than a block is growth. The growth is the median of
 * the slopes between any two blocks (Theil and Sen), and what noise leaves open about it comes from how many of these
 * point upwards (Kendall). It is a leak where it is beyond noise, beyond a share of what is held, and more than
 * nothing in the measure's own unit. Arithmetic only.
 */
import type { Point } from '@isthmus/loadtest/report/plot';

/** The larger of the two; runtimes and caches fill for so long. */
const warmUpShare = 0.2;
const warmUpS = 600;
/** A slope of an hour that is told from less is a guess. */
const leastJudgedS = 1200;
const blocks = 12;
const fewestBlocks = 8;
const fewestOfBlock = 3;
/** Of what is held, in an hour. Below the share that has to be noticed, because half of all estimates are too low. */
const mostGrowth = 0.03;
const noticedGrowth = 0.05;
/** Normal deviates: one series in 200 that is flat points upwards so much. */
const confidence = 2.6;
const hourS = 3600;

export interface Flatness {
  /** Medians of the first and the last block. */
  readonly first: number;
  readonly last: number;
  /** Growth in an hour as a share of what is held, with what noise leaves open. */
  readonly growth: { readonly low: number; readonly found: number; readonly high: number };
  /** `noisy`: none was found, and one that should be noticed may be there. */
  readonly verdict: 'flat' | 'grows' | 'noisy';
}

export interface Judgement {
  readonly totalS: number;
  /** Less than this in the measure's unit is no growth over the time that is judged. */
  readonly least: number;
}

/** Of the whole time, in seconds. */
export function warmUpOf(totalS: number): number {
  return Math.max(warmUpS, totalS * warmUpShare);
}

/** Whether so long a time can be judged at all. */
export function isJudged(totalS: number): boolean {
  return totalS - warmUpOf(totalS) >= leastJudgedS;
}

/** `null`: too short to be judged. Times in seconds. */
export function flatnessOf(points: readonly Point[], { totalS, least }: Judgement): Flatness | null {
  if (!isJudged(totalS)) return null;
  const fromS = warmUpOf(totalS);
  const judgedS = totalS - fromS;
  const medians = mediansOf(points, { fromS, blockS: judgedS / blocks });
  const [first, last] = [medians[0], medians.at(-1)];
  if (first === undefined || last === undefined || medians.length < fewestBlocks) return null;
  const slopes = slopesOf(medians);
  const open = openRank(medians.map(([, value]) => value));
  const rank = Math.max(0, Math.floor((slopes.length - open) / 2));
  const perHour = { low: slopes[rank] ?? 0, found: middleOf(slopes), high: slopes.at(-1 - rank) ?? 0 };
  const held = Math.max(middleOf(medians.map(([, value]) => value)), Number.MIN_VALUE);
  const growth = { low: perHour.low / held, found: perHour.found / held, high: perHour.high / held };
  const isMore = (inAnHour: number): boolean => inAnHour * (judgedS / hourS) > least;
  const isGrowth = growth.low > 0 && growth.found > mostGrowth && isMore(perHour.found);
  const isOpen = growth.high > noticedGrowth && isMore(perHour.high);
  const verdict = isGrowth ? 'grows' : isOpen ? 'noisy' : 'flat';
  return { first: first[1], last: last[1], growth, verdict };
}

/**
 * What each minute adds, for what is only written to: it grows as it should, and must not grow faster and faster. What
 * is taken away at once is one minute among many.
 */
export function addedOf(points: readonly Point[]): readonly Point[] {
  const ends = [...new Map(points.map((point) => [Math.floor(point[0] / 60), point])).values()];
  return ends.slice(1).flatMap(([atS, value], index) => {
    const [beforeS, before] = ends[index] ?? [atS, value];
    return atS > beforeS ? [[atS, ((value - before) / (atS - beforeS)) * 60] as const] : [];
  });
}

function mediansOf(
  points: readonly Point[],
  { fromS, blockS }: { readonly fromS: number; readonly blockS: number },
): readonly Point[] {
  return Array.from({ length: blocks }, (_, block) => fromS + block * blockS).flatMap((startS) => {
    const inside = points.filter(([atS]) => atS >= startS && atS < startS + blockS);
    // Whoever was away for most of a block says nothing about it.
    if (inside.length < fewestOfBlock) return [];
    return [[startS + blockS / 2, middleOf(inside.map(([, value]) => value))] as const];
  });
}

/** In an hour, between any two; from the least to the most. */
function slopesOf(medians: readonly Point[]): readonly number[] {
  return medians
    .flatMap(([atS, value], index) =>
      medians.slice(index + 1).map(([laterS, later]) => ((later - value) / (laterS - atS)) * hourS),
    )
    .toSorted((a, b) => a - b);
}

/** So many more slopes than half may point one way by noise alone: Kendall's variance, less that of values which are equal. */
function openRank(values: readonly number[]): number {
  const varied = (count: number): number => (count * (count - 1) * (2 * count + 5)) / 18;
  const equal = [...new Set(values)].map((value) => values.filter((each) => each === value).length);
  const variance = equal.reduce((sum, count) => sum - varied(count), varied(values.length));
  return confidence * Math.sqrt(variance);
}

function middleOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

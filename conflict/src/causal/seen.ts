/**
 * The exact set of dots that was seen of one record, as the core works with it: for each actor the ranges of counters,
 * apart by at least one unseen counter. It never claims a dot that it was not told of. Nothing here changes what it is
 * given, and nothing is checked; `CausalContext` is the same for users. (Version vectors with exceptions, in the compact
 * form of Almeida et al., "Scalable and Accurate Causality Tracking", 2014.)
 */
import { sorted } from '../sorted.ts';

/** Pairs of first and last counter, ascending; the first pair begins with 1, and ends with 0 where that is unseen. */
export type Ranges = readonly number[];
/** Ranges by actor; an actor that is named has at least one. */
export type Seen = ReadonlyMap<string, Ranges>;

/** The identity of one write to one record. */
export interface Dot {
  /** Who wrote: 1 to 64 bytes of UTF-8. */
  readonly actor: string;
  /** From 1 upwards, contiguous for each record and actor. */
  readonly counter: number;
}

/** The counters of one actor that were seen. */
export interface SeenOfActor {
  /** All counters from 1 to this one were seen; 0 where the first was not. */
  readonly max: number;
  /**
   * What was seen above `max`: pairs of first and last counter, ascending, with at least one unseen counter between
   * neighbours.
   */
  readonly runs: readonly number[];
}

const none: Ranges = [1, 0];

export function rangesOf(seen: Seen, actor: string): Ranges {
  return seen.get(actor) ?? none;
}

/** The highest counter seen of an actor; 0 where none was. */
export function lastOf(seen: Seen, actor: string): number {
  return rangesOf(seen, actor).at(-1) ?? 0;
}

export function hasSeen(seen: Seen, { actor, counter }: Dot): boolean {
  const ranges = rangesOf(seen, actor);
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[2 * middle + 1] ?? 0) < counter) low = middle + 1;
    else high = middle;
  }
  return counter >= (ranges[2 * low] ?? Infinity);
}

/** The union in its one form, in one pass over both: of each, only the first counters of its pairs have to go up. */
export function unionOf(a: Ranges, b: Ranges): Ranges {
  const union = [...none];
  let left = 0;
  let right = 0;
  while (left < a.length || right < b.length) {
    const isRight = (b[right] ?? Infinity) < (a[left] ?? Infinity) || left === a.length;
    const low = (isRight ? b[right++] : a[left++]) ?? 0;
    const high = (isRight ? b[right++] : a[left++]) ?? 0;
    const last = union.at(-1) ?? 0;
    if (low > last + 1) union.push(low, high);
    else union[union.length - 1] = Math.max(last, high);
  }
  return union;
}

/** Adds counters of one actor, of which there is at least one. */
export function see(seen: Map<string, Ranges>, actor: string, ranges: Ranges): void {
  seen.set(actor, unionOf(rangesOf(seen, actor), ranges));
}

export function joinSeen(a: Seen, b: Seen): Map<string, Ranges> {
  const joined = new Map(a);
  for (const [actor, ranges] of b) see(joined, actor, ranges);
  return joined;
}

/** Whether `a` has seen every dot of `b`. */
export function covers(a: Seen, b: Seen): boolean {
  return JSON.stringify([...joinSeen(a, b)]) === JSON.stringify([...a]);
}

/** Adds many dots in one pass over what is known. */
export function seeAll(seen: Map<string, Ranges>, dots: Iterable<Dot>): void {
  const byActor = new Map<string, number[]>();
  for (const { actor, counter } of dots) {
    const bounds = byActor.get(actor) ?? [];
    bounds.push(counter, counter);
    byActor.set(actor, bounds);
  }
  // Counters twice in a row are ranges of one.
  for (const [actor, bounds] of byActor)
    see(
      seen,
      actor,
      sorted(bounds, (a, b) => a - b),
    );
}

/** What is unseen of the counters from 1 to `last`, which is not below any that was seen. */
export function gapsIn(ranges: Ranges, last: number): Ranges {
  const bounds = ranges.map((bound, index) => (index % 2 === 0 ? bound - 1 : bound + 1));
  return [1, ...bounds, last];
}

/** Ranges as users have them. */
export function seenOfRanges([, max = 0, ...runs]: Ranges): SeenOfActor {
  return { max, runs };
}

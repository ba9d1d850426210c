/**
 * What is known of one actor's dots: every counter up to `max`, and the exact few above it. Nothing between is
 * claimed: having seen 1 and 3 never says 2. The form is unique: `beyond` is sorted, holds nothing at or below
 * max + 1, and moves into `max` as soon as it joins up.
 */
export interface Seen {
  readonly max: number;
  readonly beyond: readonly number[];
}

export const nothingBeyond: readonly number[] = [];

export function covers(seen: Seen, counter: number): boolean {
  return counter <= seen.max || (seen.beyond.length > 0 && holds(seen.beyond, counter));
}

/** The highest counter seen, 0 for none. */
export function lastOf(seen: Seen): number {
  return seen.beyond.at(-1) ?? seen.max;
}

/** The union; `left` itself when `right` adds nothing. */
export function joinSeen<Left extends Seen>(left: Left, right: Seen): Left | Seen {
  if (right.max <= left.max && right.beyond.every((counter) => covers(left, counter))) return left;
  const counters = [...left.beyond, ...right.beyond].toSorted((one, other) => one - other);
  return seenOf(Math.max(left.max, right.max), counters);
}

/** From a contiguous maximum and sorted counters, repetitions allowed. */
export function seenOf(max: number, counters: readonly number[]): Seen {
  let top = max;
  const beyond: number[] = [];
  for (const counter of counters) {
    if (counter <= top || counter === beyond.at(-1)) continue;
    if (counter === top + 1) top = counter;
    else beyond.push(counter);
  }
  return { max: top, beyond: beyond.length === 0 ? nothingBeyond : beyond };
}

function holds(sorted: readonly number[], counter: number): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = sorted[middle] ?? 0;
    if (found === counter) return true;
    if (found < counter) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

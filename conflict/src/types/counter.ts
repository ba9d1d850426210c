/**
 * A counter adds up what every actor added and took, each in a slot of its own that only it writes. A reset notes how
 * much of each slot it has seen, so exactly the part that it did not see survives. Sums stay exact: a change that
 * would leave the range of safe integers is refused when it is made. Merged sums can leave that range only if regions
 * add more than 2^53 concurrently; they are then read as the nearest double, and changes that lead back are taken.
 */
import { tagCounter } from '../codec/format.ts';
import { vectorOf } from '../codec/vector.ts';
import { check } from '../refusal.ts';
import type { Draft } from '../record/draft.ts';
import { entriesAt, type Place } from '../record/place.ts';
import type { PlaceOf } from './resolve-field.ts';
import { checkedAmount, checkRange, exactSum } from './amount.ts';

export function readCounter(place: Place): number {
  const terms = entriesAt(place, tagCounter).flatMap(({ payload }) => {
    const [added = 0, addedBefore = 0, taken = 0, takenBefore = 0] = vectorOf(payload);
    return [added - addedBefore, takenBefore - taken];
  });
  return exactSum(terms);
}

/** Adds `amount`, which may be negative; 0 changes nothing. */
export function increment(draft: Draft, { place }: PlaceOf, amount: unknown): void {
  const by = checkedAmount(place, amount, Number.NEGATIVE_INFINITY);
  if (by === 0) return;
  const shown = readCounter(place);
  const isReturning = !Number.isSafeInteger(shown) && Math.sign(by) !== Math.sign(shown);
  if (!isReturning) checkRange(place, shown + by, by);
  draft.addToSlot(place, { tag: tagCounter, sub: '' }, by > 0 ? [by] : [0, 0, -by]);
}

/** A counter is not set: a value is accepted only where it is the one that is shown. */
export function putCounter({ label: field }: Place, shown: number, value: unknown): void {
  const rule = 'counter-is-incremented';
  check(value === shown, 'wrong-operation', { field, rule, limit: shown, value });
}

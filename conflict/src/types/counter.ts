/**
 * A counter adds up what every actor added and took, each in a slot of its own that only it writes. A reset notes how
 * much of each slot it has seen, so exactly the part that it did not see survives. Sums stay exact: a change that
 * would leave the range of safe integers is refused when it is made. Merged sums can leave that range only if regions
 * add more than 2^53 concurrently; they are then read as the nearest double, and changes that lead back are taken.
 */
import { tagCounter } from '../codec/format.ts';
import { balanceOf, isExhausted, vectorOf } from '../codec/vector.ts';
import { check } from '../refusal.ts';
import type { Draft } from '../record/draft.ts';
import { entriesAt, type Place } from '../record/place.ts';
import type { PlaceOf } from './resolve-field.ts';
import { checkAmount, checkRange, exactSum } from './amount.ts';

export function showCounter({ place }: PlaceOf): { value: number; live: boolean } {
  const slots = entriesAt(place, tagCounter).map(({ payload }) => vectorOf(payload));
  return { value: exactSum(slots.map(balanceOf)), live: !slots.every(isExhausted) };
}

/** Adds `amount`, which may be negative; 0 changes nothing. */
export function increment(draft: Draft, at: PlaceOf, by: unknown): void {
  const { place } = at;
  checkAmount(place, by, -Infinity);
  const shown = showCounter(at).value;
  const isReturning = !Number.isSafeInteger(shown) && Math.sign(by) !== Math.sign(shown);
  if (!isReturning) checkRange(place, shown + by, by);
  draft.addToSlot(place, { tag: tagCounter, sub: '' }, by > 0 ? [by] : [0, 0, -by]);
}

export function putCounter(_: Draft, at: PlaceOf, value: unknown): void {
  checkShown(at.place, showCounter(at).value, value);
}

/** A counter is not set: a value is accepted only where it is the one that is shown. */
export function checkShown({ label: field }: Place, shown: number, value: unknown): void {
  const rule = 'counter-is-incremented';
  check(value === shown, 'wrong-operation', { field, rule, limit: shown, value });
}

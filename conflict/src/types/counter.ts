/**
 * A counter adds up what every actor added and took, each in a slot of its own that only it writes. A reset notes how
 * much of each slot it has seen, so exactly the part that it did not see survives. Sums stay exact: a change that
 * would leave the range of safe integers is refused when it is made. Merged sums can leave that range only if regions
 * add more than 2^53 concurrently; they are then read as the nearest double, and changes that lead back are taken.
 */
import { tagCounter } from '../codec/format.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { ConflictError } from '../errors.ts';
import type { Draft } from '../record/draft.ts';
import { checkedAmount, checkedRange, entriesAt, type Place } from './place.ts';

export function readCounter(place: Place): number {
  const terms: number[] = [];
  for (const slot of entriesAt(place, tagCounter)) {
    const [added = 0, addedBefore = 0, taken = 0, takenBefore = 0] = vectorOf(slot.payload);
    terms.push(added - addedBefore, takenBefore - taken);
  }
  return exactSum(terms);
}

/** The sum of safe integers, rounded once at the end where it is not safe itself. */
export function exactSum(terms: readonly number[]): number {
  let total = 0;
  for (const term of terms) {
    total += term;
    if (!Number.isSafeInteger(total)) return Number(terms.reduce((sum, each) => sum + BigInt(each), 0n));
  }
  return total;
}

/** Adds `amount`, which may be negative; 0 changes nothing. */
export function increment(draft: Draft, place: Place, amount: unknown): void {
  const by = checkedAmount(place.label, amount, Number.NEGATIVE_INFINITY);
  if (by === 0) return;
  const shown = readCounter(place);
  const isReturning = !Number.isSafeInteger(shown) && Math.sign(by) !== Math.sign(shown);
  if (!isReturning) checkedRange(place.label, shown + by, by);
  const own = entriesAt(place, tagCounter).find((slot) => slot.actor === draft.actor);
  const vector = own === undefined ? [] : vectorOf(own.payload);
  const [added = 0, , taken = 0] = isExhausted(vector) ? [] : vector;
  checkedRange(place.label, by > 0 ? added + by : by - taken, by);
  draft.addToSlot(place.node, { path: place.path, tag: tagCounter, sub: '' }, by > 0 ? [by] : [0, 0, -by]);
}

/** A counter is not set: a value is accepted only where it is the one that is shown. */
export function putCounter(label: string, shown: number, value: unknown): void {
  if (value === shown) return;
  const rule = 'counter-is-incremented';
  const message = `the counter holds ${shown}; change it by an amount instead of setting it`;
  throw new ConflictError('wrong-operation', message, { field: label, rule, limit: shown, value });
}

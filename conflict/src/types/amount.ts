/**
 * Amounts of counters' operations, and the range in which sums are exact. Nothing rounds in silence: a change that would
 * leave the safe integers is refused when it is made.
 */
import { refusal } from '../refusal.ts';
import type { Place } from '../record/place.ts';

/** An amount of an operation, not below `least`. */
export function checkAmount(place: Place, amount: unknown, least: number): asserts amount is number {
  const isFit = typeof amount === 'number' && Number.isInteger(amount) && amount >= least;
  place.check(isFit, least === 0 ? 'non-negative-integer' : 'integer', amount);
  checkRange(place, amount, amount);
}

/** Refuses a number that a counter would hold after a change by `amount`, where it may not hold it. */
export function checkRange(place: Place, value: number, amount: number): void {
  if (Number.isSafeInteger(value)) return;
  const limit = Math.sign(value) * Number.MAX_SAFE_INTEGER;
  throw refusal('counter-out-of-range', { field: place.label, rule: 'safe-integer', limit, value: amount });
}

/** The sum of integers, rounded once at the end where it is not safe itself. */
export function exactSum(terms: readonly number[]): number {
  return Number(terms.reduce((sum, term) => sum + BigInt(term), 0n));
}

/**
 * The counters of version vectors, for the core, which takes vectors from callers and never makes one: so the class
 * stays out of programs that have no use for it. Only what the class has made is found here; no proxy is asked anything.
 */
import { checkArgument, isObject } from '../arguments.ts';

export const countersByVector = new WeakMap<object, ReadonlyMap<string, number>>();

/** Counters by actor. Throws `invalid-argument` where `value` is no vector. */
export function countersOf(value: unknown, rule: string): ReadonlyMap<string, number> {
  const counters = isObject(value) ? countersByVector.get(value) : undefined;
  checkArgument(counters !== undefined, rule, value);
  return counters;
}

/**
 * How arguments are refused that are of the wrong kind: by the name of the parameter and what it has to be, with what
 * was given in the details. Proxies and getters are anybody's code; what they throw while an argument is read is a fault
 * of the argument too, and never leaves this package bare.
 */
import { AssertionFailure, ConflictError } from './errors.ts';
import { check, refusal } from './refusal.ts';

/** Throws `invalid-argument` where an argument is not of its kind; `rule` names the parameter. */
export function checkArgument(isFit: boolean, rule: string, value: unknown): asserts isFit {
  check(isFit, 'invalid-argument', { rule, value });
}

/** Throws `invalid-argument` where `value` is no string. */
export function checkText(value: unknown, rule: string): asserts value is string {
  checkArgument(typeof value === 'string', rule, value);
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What `read` makes of an argument. Throws `invalid-argument` where the argument itself throws. */
export function readFrom<Result>(value: unknown, rule: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ConflictError || cause instanceof AssertionFailure) throw cause;
    throw refusal('invalid-argument', { rule, value, cause });
  }
}

/** The items of anything that lists them, but for a string. Throws `invalid-argument`. */
export function itemsOf<Item>(value: Iterable<Item>, rule: string): readonly Item[] {
  checkArgument(isObject(value), rule, value);
  return readFrom(value, rule, () => [...value]);
}

/** The same, where every item has to be a string. */
export function textsOf(value: Iterable<string>, rule: string): readonly string[] {
  const items = itemsOf(value, rule);
  for (const item of items) checkText(item, rule);
  return items;
}

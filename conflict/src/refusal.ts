/**
 * How this package refuses: functions that make a `ConflictError` of the rule that was broken, or throw it where the rule
 * does not hold. They keep nothing, so each file of the published package may have its own; the classes in `errors.ts`
 * have one identity.
 */
import { describe } from './described.ts';
import { AssertionFailure, type ConflictCode, type ConflictDetails, ConflictError } from './errors.ts';

/** A failure whose message is made of its parts, as `likes: invalid-value (integer), value 0.5`. */
export function refusal(code: ConflictCode, details: ConflictDetails): ConflictError {
  let message = `${code} (${details.rule})`;
  if ('limit' in details) message += `, limit ${details.limit}`;
  if ('value' in details) message += `, value ${describe(details.value)}`;
  return new ConflictError(code, message, details);
}

/** Throws where a rule is broken. */
export function check(isKept: boolean, code: ConflictCode, details: ConflictDetails): asserts isKept {
  if (!isKept) throw refusal(code, details);
}

/** Throws `too-large` where there are more bytes than the limit. */
export function checkSize(rule: string, value: number, limit: number): void {
  check(value <= limit, 'too-large', { rule, limit, value });
}

/** Throws `invalid-schema` where a declaration of `field`, or of the whole schema, breaks a rule. */
export function checkDeclared(
  isKept: boolean,
  rule: string,
  given: { readonly value: unknown; readonly field?: string },
): asserts isKept {
  check(isKept, 'invalid-schema', { rule, ...given });
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

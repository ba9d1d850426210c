/** How an argument of the wrong kind is refused: by its name and what it has to be, with what was given in the details. */
import { ConflictError } from './errors.ts';

/** `rule` names the parameter. */
export function unfit(rule: string, expected: string, value: unknown): ConflictError {
  return new ConflictError('invalid-argument', `${rule} has to be ${expected}`, { rule, value });
}

/** Throws `invalid-argument` where `value` is no string. */
export function checkText(value: unknown, rule: string): void {
  if (typeof value !== 'string') throw unfit(rule, 'a string', value);
}

/**
 * The check that something is bytes, where it comes from callers: what `fetch` gives is an `ArrayBuffer`, which has no
 * length, and what a database gives may be `null`. It takes byte arrays of any realm, Node's `Buffer` among them, and
 * looks at nothing but the kind of the object.
 */
import { ConflictError } from '../errors.ts';

/** Throws `invalid-argument` where `value` is no `Uint8Array`. */
export function checkBytes(value: unknown, rule: string): void {
  if (value instanceof Uint8Array) return;
  if (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]') return;
  throw new ConflictError('invalid-argument', `${rule} has to be a Uint8Array`, { rule, value });
}

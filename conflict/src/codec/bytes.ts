/**
 * The check that something is bytes, where it comes from callers: what `fetch` gives is an `ArrayBuffer`, which has no
 * length, and what a database gives may be `null`. It takes byte arrays of any realm, Node's `Buffer` among them, and
 * looks at nothing but the kind of the object.
 */
import { checkArgument } from '../arguments.ts';

/** Throws `invalid-argument` where `value` is no `Uint8Array`. */
export function checkBytes(value: unknown, rule: string): void {
  // A proxy of bytes is no view of them, whatever class it claims.
  const isBytes =
    ArrayBuffer.isView(value) &&
    (value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]');
  checkArgument(isBytes, rule, value);
}

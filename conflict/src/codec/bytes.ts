/**
 * Bytes as binary strings, and the check that something is bytes, where it comes from callers: what `fetch` gives is an
 * `ArrayBuffer`, which has no length, and what a database gives may be `null`. It takes byte arrays of any realm, Node's
 * `Buffer` among them, and looks at nothing but the kind of the object.
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

/** As many arguments as every engine takes. */
const mostAtOnce = 4096;

/** Up to here adding characters one by one is faster than handing them over together. */
const fewBytes = 32;

/** Bytes `start` to `end` as a binary string. The caller has checked the bounds. */
export function binaryOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let binary = '';
  if (end - start <= fewBytes) {
    for (let at = start; at < end; at++) binary += String.fromCharCode(bytes[at] ?? 0);
    return binary;
  }
  for (let at = start; at < end; at += mostAtOnce) {
    const part = bytes.subarray(at, Math.min(end, at + mostAtOnce));
    binary += String(Reflect.apply(String.fromCharCode, null, part));
  }
  return binary;
}

/**
 * Bytes as binary strings and back, and the check that something is bytes, where it comes from callers: what `fetch`
 * gives is an `ArrayBuffer`, which has no length, and what a database gives may be `null`. It takes byte arrays of any
 * realm, Node's `Buffer` among them, and looks at nothing but the kind of the object.
 */
import { checkArgument, readFrom } from '../arguments.ts';
import { allocate } from './slab.ts';

/** Throws `invalid-argument` where `value` is no `Uint8Array`, or one whose buffer was handed to another thread. */
export function checkBytes(value: Uint8Array, rule: string): void {
  // A proxy of bytes is no view of them, whatever class it claims.
  checkArgument(ArrayBuffer.isView(value) && value[Symbol.toStringTag] === 'Uint8Array', rule, value);
  // A buffer that was handed over looks like an empty one, until it is read.
  if (value.length === 0) readFrom(value, rule, () => value.at(0));
}

/** As many arguments as every engine takes. */
const mostAtOnce = 4096;

/** Bytes as a binary string, each a character. */
export function binaryOfBytes(bytes: Uint8Array): string {
  let binary = '';
  let at = 0;
  for (; at + mostAtOnce <= bytes.length; at += mostAtOnce) {
    binary += String.fromCharCode(...bytes.subarray(at, at + mostAtOnce));
  }
  // An engine writes this out; given a list of arguments it first makes one. Of a long string it makes a list of pieces.
  for (; at + 4 <= bytes.length; at += 4) {
    binary += String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0, bytes[at + 2] ?? 0, bytes[at + 3] ?? 0);
  }
  for (; at < bytes.length; at++) binary += String.fromCharCode(bytes[at] ?? 0);
  return binary;
}

/** The bytes of a binary string, the caller's alone. */
export function bytesOf(binary: string): Uint8Array {
  const bytes = allocate(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

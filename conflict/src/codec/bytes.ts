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
  const isBytes =
    ArrayBuffer.isView(value) &&
    (value instanceof Uint8Array || Object.prototype.toString.call(value) === '[object Uint8Array]');
  checkArgument(isBytes, rule, value);
  // A buffer that was handed over looks like an empty one, until it is read.
  if (value.length === 0) readFrom(value, rule, () => value.at(0));
}

/** As many arguments as every engine takes. */
const mostAtOnce = 4096;

/** Bytes as a binary string, each a character. */
export function binaryOfBytes(bytes: Uint8Array): string {
  const byte = (at: number): number => bytes[at] ?? 0;
  let binary = '';
  let at = 0;
  for (; at + mostAtOnce <= bytes.length; at += mostAtOnce) {
    binary += String(Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + mostAtOnce)));
  }
  // An engine writes this out; given a list of arguments it first makes one. Of a long string it makes a list of pieces.
  for (; at + 8 <= bytes.length; at += 8) {
    binary += String.fromCharCode(
      byte(at),
      byte(at + 1),
      byte(at + 2),
      byte(at + 3),
      byte(at + 4),
      byte(at + 5),
      byte(at + 6),
      byte(at + 7),
    );
  }
  for (; at < bytes.length; at++) binary += String.fromCharCode(byte(at));
  return binary;
}

/** The bytes of a binary string, the caller's alone. */
export function bytesOf(binary: string): Uint8Array {
  const bytes = allocate(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

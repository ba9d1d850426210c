/**
 * A growing buffer for everything that is encoded outside the merge. Integers are written as the shortest LEB128
 * form, and everything has exactly one encoding, which is what makes equal states equal bytes. The buffer is a stack:
 * what is encoded while something else is being encoded, as a value's getter may, comes behind it and goes again. What
 * is handed out is a copy of its own.
 */
import { binaryOfBytes } from './bytes.ts';
import { assert } from '../refusal.ts';
import { copyOf } from './slab.ts';
import { writeVarint } from './small-varint.ts';

let buffer = new Uint8Array(0);
let length = 0;

/** Bytes that were written and not handed out yet. */
export function writtenLength(): number {
  return length;
}

function makeRoom(byteCount: number): void {
  const needed = length + byteCount;
  if (needed <= buffer.length) return;
  const grown = new Uint8Array(Math.max(needed, 2 * buffer.length, 512));
  grown.set(buffer);
  buffer = grown;
}

export function writeByte(value: number): void {
  makeRoom(1);
  buffer[length++] = value;
}

/** Writes a non-negative safe integer. */
export function writeNumber(value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'varint');
  makeRoom(8);
  length = writeVarint(buffer, length, value);
}

export function writeBytes(bytes: Uint8Array): void {
  makeRoom(bytes.length);
  buffer.set(bytes, length);
  length += bytes.length;
}

/** Writes each character of a binary string as one byte. */
export function writeBinary(text: string): void {
  makeRoom(text.length);
  for (let index = 0; index < text.length; index++) buffer[length++] = text.charCodeAt(index);
}

/** Writes a binary string with its length in front. */
export function writeSized(text: string): void {
  writeNumber(text.length);
  writeBinary(text);
}

/** What `take` makes of the buffer, and of where in it begins what `write` writes. */
function taken<Result>(
  write: () => void,
  take: (bytes: Uint8Array, start: number, end: number) => Result,
): Result {
  const start = length;
  try {
    write();
    return take(buffer, start, length);
  } finally {
    length = start;
  }
}

/** The bytes that `write` writes. */
export function written(write: () => void): Uint8Array {
  return taken(write, (bytes, start, end) => copyOf(bytes.subarray(start, end)));
}

/** The same as a binary string. */
export function binaryWritten(write: () => void): string {
  return taken(write, binaryOfBytes);
}

/** A binary string as bytes. */
export function bytesOf(binary: string): Uint8Array {
  return written(() => writeBinary(binary));
}

/** Bytes that `writeNumber` takes for a value. */
export function varintLength(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

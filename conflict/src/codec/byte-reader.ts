/**
 * Reads bytes that may be hostile, forwards only and never past their end. Integers are little-endian base-128
 * in their shortest form and at most 2^53 - 1; every other form is refused, so that one value has one encoding.
 */
import { malformed } from '../errors.ts';

export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at];
    if (value === undefined) throw malformed('bytes end early', this.at);
    this.at += 1;
    return value;
  }

  /** Moves over `length` bytes and returns where they began. */
  skip(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) throw malformed('a length reaches past the end', length);
    this.at = start + length;
    return start;
  }

  integer(): number {
    const first = this.byte();
    return first < 0x80 ? first : this.longInteger(first);
  }

  private longInteger(first: number): number {
    let value = first & 0x7f;
    let scale = 0x80;
    for (let index = 1; index < 8; index += 1) {
      const next = this.byte();
      value += (next & 0x7f) * scale;
      if (next < 0x80) {
        if (next === 0 || value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw malformed('an integer is too large or not in its shortest form', this.at);
  }
}

/** Unsigned lexicographic order of two ranges: negative, zero or positive. */
export function compareRanges(
  left: Uint8Array,
  leftStart: number,
  leftEnd: number,
  right: Uint8Array,
  rightStart: number,
  rightEnd: number,
): number {
  const length = Math.min(leftEnd - leftStart, rightEnd - rightStart);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[leftStart + index] ?? 0) - (right[rightStart + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return leftEnd - leftStart - (rightEnd - rightStart);
}

export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  return compareRanges(left, 0, left.length, right, 0, right.length);
}

/**
 * Integers as the format has them: the shortest LEB128 form. For all that is encoded outside the walk over bytes they are
 * binary strings. The walk itself takes only those below 2^28, which all of ordinary records are, and declines others,
 * well formed or not. Where an integer ends follows from its value, because only the shortest form is taken, so nothing
 * but a number is handed back there and nothing is allocated.
 */
import { assert } from '../refusal.ts';

/** A non-negative safe integer as a binary string. */
export function varint(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, 'varint');
  if (value < 0x80) return String.fromCharCode(value);
  return String.fromCharCode((value % 0x80) + 0x80) + varint(Math.floor(value / 0x80));
}

/** A binary string with its length in front. */
export function sized(binary: string): string {
  return varint(binary.length) + binary;
}

/** Bytes that an integer below 2^28 takes. */
export function varintLength(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest >>= 7) bytes++;
  return bytes;
}

/** The integer at `offset` if it is below 2^28, in its shortest form and within the bytes; else -1. */
export function smallVarint(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset] ?? 0xff;
  return first < 0x80 ? first : longerVarint(bytes, offset, first & 0x7f);
}

function longerVarint(bytes: Uint8Array, offset: number, low: number): number {
  let value = low;
  for (let at = 1; at < 4; at++) {
    const byte = bytes[offset + at] ?? 0;
    value |= (byte & 0x7f) << (7 * at);
    if (byte < 0x80) return byte === 0 ? -1 : value;
  }
  return -1;
}

/** Writes an integer below 2^28; returns its end. */
export function writeVarint(room: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  for (; rest >= 0x80; rest >>= 7) room[at++] = rest | 0x80;
  room[at++] = rest;
  return at;
}

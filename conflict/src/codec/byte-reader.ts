/**
 * Reading of binary strings with every bound checked. A length or a count is compared with what is left before anything
 * is done with it, so lying bytes end in a `malformed` error and never in a large allocation or a long loop. Only the
 * shortest form of an integer is accepted. There is one reading at a time: each runs from its `beginReading` to its end
 * without giving way, and one that fails is left as it is.
 */
import type { ConflictError } from '../errors.ts';
import { refusal } from '../refusal.ts';

let source = '';
let at = 0;

/** Bytes that do not follow the format; the value is how far into them, or into a part of them, the reading has come. */
export function malformed(): ConflictError {
  return refusal('malformed', { rule: 'format', value: at });
}

/** Throws `malformed` where bytes break a rule of the format. */
export function checkForm(isKept: boolean): asserts isKept {
  if (!isKept) throw malformed();
}

/** Reads `binary` from `offset` on. */
export function beginReading(binary: string, offset = 0): void {
  source = binary;
  at = offset;
}

/** How many bytes are left. */
export function remaining(): number {
  return source.length - at;
}

export function readByte(): number {
  return source.charCodeAt(skip(1));
}

export function readNumber(): number {
  let value = 0;
  let scale = 1;
  let byte = 0;
  do {
    byte = readByte();
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
  } while (byte >= 0x80);
  checkForm((byte > 0 || scale === 0x80) && value <= Number.MAX_SAFE_INTEGER);
  return value;
}

/** Moves over `byteCount` bytes and returns where they began. */
export function skip(byteCount: number): number {
  checkForm(byteCount <= remaining());
  const start = at;
  at += byteCount;
  return start;
}

export function readBinary(byteCount: number): string {
  return readSince(skip(byteCount));
}

/** What was read since `start`. */
export function readSince(start: number): string {
  return source.slice(start, at);
}

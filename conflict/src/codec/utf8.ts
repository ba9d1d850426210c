/**
 * Text to UTF-8 and back, without anything of Node or the DOM. Besides bytes there is the *binary string*: a string
 * whose characters are the bytes of the UTF-8 form. Comparing two binary strings with `<` compares their bytes, so
 * they serve as map keys and sort keys wherever speed is not measured. A lone surrogate has no UTF-8 form; encoding
 * answers `null` for it and never replaces it. Decoding accepts only the shortest form of each code point and refuses
 * everything else, so equal texts always have equal bytes.
 */
import { malformed } from '../errors.ts';

const beyondAscii = /[^\p{ASCII}]/u;
const chunkBytes = 4096;

/** The UTF-8 form as a binary string, or `null` where the text holds a lone surrogate. */
export function binaryOf(text: string): string | null {
  if (!beyondAscii.test(text)) return text;
  let binary = '';
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) return null;
    binary += binaryOfPoint(point);
  }
  return binary;
}

function binaryOfPoint(point: number): string {
  if (point < 0x80) return String.fromCharCode(point);
  if (point < 0x800) return String.fromCharCode(0xc0 | (point >> 6), tail(point));
  if (point < 0x10000) return String.fromCharCode(0xe0 | (point >> 12), tail(point >> 6), tail(point));
  return String.fromCharCode(0xf0 | (point >> 18), tail(point >> 12), tail(point >> 6), tail(point));
}

function tail(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** The text of a binary string; throws `malformed` where it is not the shortest UTF-8 form of a text. */
export function textOf(binary: string): string {
  if (!beyondAscii.test(binary)) return binary;
  let text = '';
  let index = 0;
  while (index < binary.length) {
    const length = sequenceLength(binary.charCodeAt(index));
    text += String.fromCodePoint(pointAt(binary, index, length));
    index += length;
  }
  return text;
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  throw malformed('utf-8');
}

const leastPoint = [0, 0, 0x80, 0x800, 0x10000];

function pointAt(binary: string, index: number, length: number): number {
  if (length === 1) return binary.charCodeAt(index);
  if (index + length > binary.length) throw malformed('utf-8');
  let point = binary.charCodeAt(index) & (0x7f >> length);
  for (let offset = 1; offset < length; offset++) {
    const byte = binary.charCodeAt(index + offset);
    if ((byte & 0xc0) !== 0x80) throw malformed('utf-8');
    point = (point << 6) | (byte & 0x3f);
  }
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < (leastPoint[length] ?? 0) || point > 0x10ffff || surrogate) throw malformed('utf-8');
  return point;
}

/** Bytes `start` to `end` as a binary string. The caller has checked the bounds. */
export function binaryOfBytes(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 24) return binaryOfLong(bytes, start, end);
  let binary = '';
  for (let index = start; index < end; index++) binary += String.fromCharCode(bytes[index] ?? 0);
  return binary;
}

function binaryOfLong(bytes: Uint8Array, start: number, end: number): string {
  let binary = '';
  for (let from = start; from < end; from += chunkBytes) {
    binary += String.fromCharCode(...bytes.subarray(from, Math.min(end, from + chunkBytes)));
  }
  return binary;
}

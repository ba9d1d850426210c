/**
 * UTF-8 without the platform: strict in both directions. Text with a lone surrogate has no encoding (callers
 * refuse it before), and bytes that are not the one shortest encoding of some text are malformed. So equal text
 * is equal bytes everywhere, in Node, browsers and workers.
 */
import { malformed } from '../errors.ts';

const chunkUnits = 4096;
const loneSurrogate = /[\uD800-\uDFFF]/u;

export function hasLoneSurrogate(text: string): boolean {
  return loneSurrogate.test(text);
}

const shortLength = 64;

export function encodeUtf8(text: string): Uint8Array {
  return (text.length <= shortLength ? encodeShortAscii(text) : null) ?? encodeAny(text);
}

/** Most names and values are short and plain: their bytes are their units. Null for other text. */
function encodeShortAscii(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return null;
    bytes[index] = unit;
  }
  return bytes;
}

function encodeAny(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let used = 0;
  for (let index = 0; index < text.length; index += 1) {
    const point = text.codePointAt(index) ?? 0;
    if (point > 0xffff) index += 1;
    used = put(bytes, used, point);
  }
  return bytes.slice(0, used);
}

function put(bytes: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  const tail = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  const lead = tail === 1 ? 0xc0 : tail === 2 ? 0xe0 : 0xf0;
  bytes[at] = lead | (point >> (6 * tail));
  for (let index = 1; index <= tail; index += 1) {
    bytes[at + index] = 0x80 | ((point >> (6 * (tail - index))) & 0x3f);
  }
  return at + tail + 1;
}

export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  return (
    (end - start <= shortLength ? decodeShortAscii(bytes, start, end) : null) ?? decodeAny(bytes, start, end)
  );
}

function decodeShortAscii(bytes: Uint8Array, start: number, end: number): string | null {
  let text = '';
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index] ?? 0;
    if (byte >= 0x80) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

function decodeAny(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  let units: number[] = [];
  let at = start;
  while (at < end) {
    const lead = bytes[at] ?? 0;
    const tail = tailOf(lead);
    if (tail > end - at - 1) throw malformed('text ends inside a character', at);
    const point = tail === 0 ? lead : pointAt(bytes, at, tail);
    if (point > 0xffff) units.push(0xd7c0 + (point >> 10), 0xdc00 | (point & 0x3ff));
    else units.push(point);
    at += tail + 1;
    if (units.length >= chunkUnits) {
      text += String.fromCharCode(...units);
      units = [];
    }
  }
  return text + String.fromCharCode(...units);
}

function tailOf(lead: number): number {
  if (lead < 0x80) return 0;
  if (lead >= 0xc2 && lead < 0xe0) return 1;
  if (lead >= 0xe0 && lead < 0xf0) return 2;
  if (lead >= 0xf0 && lead < 0xf5) return 3;
  throw malformed('not UTF-8', lead);
}

const leastOfTail = [0, 0x80, 0x800, 0x10000];

function pointAt(bytes: Uint8Array, at: number, tail: number): number {
  let point = (bytes[at] ?? 0) & (0x3f >> tail);
  for (let index = 1; index <= tail; index += 1) {
    const next = bytes[at + index] ?? 0;
    if ((next & 0xc0) !== 0x80) throw malformed('not UTF-8', next);
    point = (point << 6) | (next & 0x3f);
  }
  const surrogate = point >= 0xd800 && point < 0xe000;
  if (point < (leastOfTail[tail] ?? 0) || surrogate || point > 0x10ffff) throw malformed('not UTF-8', point);
  return point;
}

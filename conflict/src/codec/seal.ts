/**
 * A checksum for bytes that are stored or sent: four bytes of CRC-32C (Castagnoli) behind the content, the highest
 * first. It finds every single flipped bit and every burst up to 32 bits; it is no signature. Merging takes unsealed
 * bytes; seal where they leave and open where they come in.
 */
import { check } from '../refusal.ts';
import { checkBytes } from './bytes.ts';
import { allocate } from './slab.ts';

const checksumBytes = 4;
/** Made when it is first needed, because most programs that import this never seal. */
let table: Int32Array | null = null;

function castagnoliTable(): Int32Array {
  const values = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0x82f63b78 : 0);
    values[byte] = value;
  }
  return values;
}

/** The content with its checksum: four bytes longer. */
export function seal(bytes: Uint8Array): Uint8Array {
  checkBytes(bytes, 'bytes');
  const sealed = allocate(bytes.length + checksumBytes);
  sealed.set(bytes);
  const checksum = crc32c(bytes, bytes.length);
  for (let at = 0; at < checksumBytes; at++) sealed[bytes.length + at] = checksum >>> (24 - 8 * at);
  return sealed;
}

/** A copy of the content. Throws `checksum-mismatch` where it is not what was sealed. */
export function open(sealed: Uint8Array): Uint8Array {
  checkBytes(sealed, 'sealed');
  const length = sealed.length - checksumBytes;
  let expected = 0;
  for (let at = Math.max(0, length); at < sealed.length; at++) expected = (expected << 8) | (sealed[at] ?? 0);
  const isSealed = length >= 0 && crc32c(sealed, length) === expected;
  check(isSealed, 'checksum-mismatch', { rule: 'crc-32c', value: sealed.length });
  const content = allocate(length);
  content.set(sealed.subarray(0, length));
  return content;
}

/** As a signed 32-bit integer. */
function crc32c(bytes: Uint8Array, length: number): number {
  const known = (table ??= castagnoliTable());
  let value = -1;
  for (let at = 0; at < length; at++) value = (value >>> 8) ^ (known[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~value;
}

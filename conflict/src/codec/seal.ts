/**
 * A checksum for bytes that are stored or sent: four bytes of CRC-32C (Castagnoli) behind the content, the highest
 * first. It finds every single flipped bit and every burst up to 32 bits; it is no signature. Merging takes unsealed
 * bytes; seal where they leave and open where they come in.
 */
import { check } from '../refusal.ts';
import { checkBytes } from './bytes.ts';
import { allocate, copyOf } from './slab.ts';

const checksumBytes = 4;
/** Made when it is first needed, because most programs that import this never seal. */
let table: Int32Array | null = null;

function castagnoliTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0x82f63b78 : 0);
    return value;
  });
}

/** The content with its checksum: four bytes longer. */
export function seal(bytes: Uint8Array): Uint8Array {
  checkBytes(bytes, 'bytes');
  const sealed = allocate(bytes.length + checksumBytes);
  sealed.set(bytes);
  checksumIn(sealed).setInt32(0, crc32c(bytes));
  return sealed;
}

/** A copy of the content. Throws `checksum-mismatch` where it is not what was sealed. */
export function open(sealed: Uint8Array): Uint8Array {
  checkBytes(sealed, 'sealed');
  const { length } = sealed;
  const content = sealed.subarray(0, length - checksumBytes);
  const isSealed = length >= checksumBytes && checksumIn(sealed).getInt32(0) === crc32c(content);
  check(isSealed, 'checksum-mismatch', { rule: 'crc-32c', value: length });
  return copyOf(content);
}

function checksumIn({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset + length - checksumBytes);
}

/** As a signed 32-bit integer. */
function crc32c(bytes: Uint8Array): number {
  const known = (table ??= castagnoliTable());
  let value = -1;
  for (let at = 0; at < bytes.length; at++)
    value = (value >>> 8) ^ (known[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~value;
}

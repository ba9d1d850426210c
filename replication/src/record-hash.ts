/**
 * The hash of a record that regions compare: 16 bytes of SHA-256 over its name and its whole state, which is canonical,
 * so equal knowledge gives equal hashes. A range's digest is SHA-256 over the hashes of its records in order. Every
 * store computes exactly this, and cuts what follows a place into ranges in exactly this way, else regions would take
 * equal records for different ones and transfer everything.
 */
import { createHash } from 'node:crypto';
import type { RecordId } from './ports/change.ts';
import type { StoredRecord } from './ports/record-store.ts';

export const hashBytes = 16;
/** Of one range. */
export const maxRangeRecords = 512;
/** Of one range, and then the record that passes it. */
export const maxRangeBytes = 1024 * 1024;
/** Of one reading, which occupies a processor of the server without a pause. */
export const maxRanges = 4;
/** Of one reading, and then the record that passes it. */
export const maxReadBytes = maxRangeBytes * maxRanges;

const zero = Uint8Array.of(0);
const firstSurrogate = 0xd800;

export function recordHash({ collection, key, state }: StoredRecord): Uint8Array {
  const hash = createHash('sha256').update(collection, 'utf8').update(zero).update(key, 'utf8').update(zero);
  return new Uint8Array(hash.update(state).digest().subarray(0, hashBytes));
}

export function digestOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return new Uint8Array(0);
  const digest = createHash('sha256');
  for (const hash of hashes) digest.update(hash);
  return new Uint8Array(digest.digest());
}

/** Order of names by their UTF-8 bytes: negative, zero or positive. */
export function compareIds(a: RecordId, b: RecordId): number {
  return compareTexts(a.collection, b.collection) || compareTexts(a.key, b.key);
}

/** Units of UTF-16 sort as UTF-8 does wherever one of the two that differ lies below the surrogates. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [one, other] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (one === other) continue;
    if (Math.min(one, other) < firstSurrogate) return one - other;
    return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
  }
  return a.length - b.length;
}

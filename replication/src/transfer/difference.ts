/**
 * Which records of a range the receiver lacks, found by hashes of whole states (P6). Pure: a record is sent unless
 * the receiver has the very same bytes under the very same name.
 */
import type { RecordId } from '../ports/change.ts';
import type { HashedRecord } from '../ports/record-reader.ts';

export interface Difference {
  /** To send, in order. */
  readonly wanted: readonly RecordId[];
  /** Places in `have` of hashes that the donor does not hold. */
  readonly lacking: readonly number[];
}

export function difference(held: readonly HashedRecord[], have: readonly Uint8Array[]): Difference {
  const theirs = new Set(have.map(text));
  const ours = new Set(held.map(({ hash }) => text(hash)));
  const wanted = held.filter(({ hash }) => !theirs.has(text(hash)));
  return {
    wanted: wanted.map(({ collection, key }) => ({ collection, key })),
    lacking: have.flatMap((hash, place) => (ours.has(text(hash)) ? [] : [place])),
  };
}

function text(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1');
}

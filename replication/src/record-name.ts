/**
 * How long names of records may be: short enough for a key of an index, on both sides of every link. The API refuses
 * longer ones, so none comes from a region that keeps to it; one that comes all the same is put aside (P4). Pure.
 */
import type { RecordId } from './ports/change.ts';

/** Of UTF-8, as all sizes here. */
export const maxKeyBytes = 512;
const maxCollectionBytes = 512;

/** What is wrong with a name; `null`: nothing. */
export function nameFault({ collection, key }: RecordId): string | null {
  if (isLonger(key, maxKeyBytes)) return `a key of ${Buffer.byteLength(key)} bytes, over ${maxKeyBytes}`;
  if (!isLonger(collection, maxCollectionBytes)) return null;
  return `the name of a collection of ${Buffer.byteLength(collection)} bytes, over ${maxCollectionBytes}`;
}

/** No character takes more than three bytes for each of its units, so most need not be counted. */
function isLonger(text: string, limit: number): boolean {
  return 3 * text.length > limit && Buffer.byteLength(text) > limit;
}

/** Which letters one raise looks at, for every adapter alike. Pure. */
import type { RecordId } from '../ports/change.ts';
import { maxStateBytes } from '../transaction-limits.ts';

export interface PassedSize extends RecordId {
  readonly deltaBytes: number;
  /** Of the record that it is on. */
  readonly stateBytes: number;
}

/** How many of the first are in memory together: each with its delta, and the state of a record once. At least one. */
export function lookedAt(letters: readonly PassedSize[]): number {
  const records = new Set<string>();
  let bytes = 0;
  for (const [count, letter] of letters.entries()) {
    const name = recordNameOf(letter);
    bytes += letter.deltaBytes + (records.has(name) ? 0 : letter.stateBytes);
    records.add(name);
    if (count > 0 && bytes > maxStateBytes) return count;
  }
  return letters.length;
}

/** No collection has U+0000 in its name. */
export function recordNameOf({ collection, key }: RecordId): string {
  return `${collection}\0${key}`;
}

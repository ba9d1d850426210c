/**
 * Whether a record may be dropped. What a delete has not seen and only hides, as increments, values with earlier stamps,
 * removals, texts, would count again where the deletion goes and it does not. So a record goes only when nothing is left
 * of it that could ever count: deletions, slots without a rest, remnants of texts. Then replicas may drop it at different
 * times, and create it again before others have dropped it.
 */
import { tagDeletion } from '../codec/format.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { decode } from './decoded-record.ts';
import { type Entry, isSlot } from './entry.ts';
import { isRemnant, liveEntries } from './liveness.ts';

/**
 * What a state is to who collects: a record that exists; one that does not, but hides what its deletion has not seen and
 * another delete takes away; or nothing that could ever count.
 */
export type Collectable = 'live' | 'hiding' | 'droppable';

/**
 * Tells from a state alone what may become of it; no schema is needed. A `droppable` record may be dropped once everybody
 * has seen all that the state has seen and nothing older is under way. Throws `malformed` or `newer-format`.
 */
export function collectable(state: Uint8Array): Collectable {
  return collectableOf(decode(state).entries);
}

export function collectableOf(entries: readonly Entry[]): Collectable {
  if (liveEntries(entries).length > 0) return 'live';
  return entries.every(isOver) ? 'droppable' : 'hiding';
}

/** Nothing can make the entry count again. */
export function isOver(entry: Entry): boolean {
  if (isSlot(entry)) return isExhausted(vectorOf(entry.payload));
  return entry.tag === tagDeletion || isRemnant(entry);
}

/**
 * Merging of many pairs at once, for states that lie anywhere in memory. A state that is in no cache is behind several
 * waits for memory, one after the other, which together last longer than its merge. Reading one byte of each state of a
 * small group beforehand lets a processor wait for all of them together.
 */
import { checkArgument, itemsOf } from '../arguments.ts';
import { ConflictError } from '../errors.ts';
import { check } from '../refusal.ts';
import { merge, type Merged } from './merge.ts';

/** So few that none has left the nearest cache when its turn comes. */
const groupSize = 16;

/** Takes what was read beforehand: an engine leaves out a reading that nobody uses. */
let readBefore = 0;

/**
 * Joins each of `deltas` into the one of `states` in the same place: gives what `merge` makes of each pair, in their
 * order. No merge sees another's result, so a record is among the states once. Throws what `merge` throws, with the
 * place of the pair as `field`, or `invalid-argument` where the lists differ in length; nothing is given then.
 */
export function mergeMany(states: Iterable<Uint8Array>, deltas: Iterable<Uint8Array>): Merged[] {
  const mine = itemsOf(states, 'states');
  const theirs = itemsOf(deltas, 'deltas');
  const counts = { rule: 'as many deltas as states', limit: mine.length, value: theirs.length };
  check(mine.length === theirs.length, 'invalid-argument', counts);
  const merged: Merged[] = [];
  for (const state of mine) {
    const place = merged.length;
    if (place % groupSize === 0) readAhead(mine.slice(place, place + groupSize));
    const delta = theirs[place];
    try {
      checkArgument(delta !== undefined, 'delta', delta);
      merged.push(merge(state, delta));
    } catch (cause) {
      if (cause instanceof ConflictError) {
        Object.assign(cause, { field: String(place), message: `${place}: ${cause.message}` });
      }
      throw cause;
    }
  }
  return merged;
}

function readAhead(states: readonly Uint8Array[]): void {
  // What is no bytes is refused in its turn, and a view may be one of bigints.
  for (const state of states) if (ArrayBuffer.isView(state)) readBefore ^= Number(state[0]);
}

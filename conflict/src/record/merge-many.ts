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
  try {
    while (merged.length < mine.length) mergeGroup(mine, theirs, merged);
  } catch (cause) {
    throw cause instanceof ConflictError ? placed(cause, merged.length) : cause;
  }
  return merged;
}

function mergeGroup(mine: readonly Uint8Array[], theirs: readonly Uint8Array[], merged: Merged[]): void {
  const end = Math.min(merged.length + groupSize, mine.length);
  for (let index = merged.length; index < end; index++) {
    const state = mine[index];
    // What is no bytes is refused in its turn; reading a view of bigints would throw here.
    if (ArrayBuffer.isView(state) && state instanceof Uint8Array) readBefore ^= state[0] ?? 0;
  }
  for (let index = merged.length; index < end; index++) {
    const state = mine[index];
    const delta = theirs[index];
    checkArgument(state !== undefined, 'state', state);
    checkArgument(delta !== undefined, 'delta', delta);
    merged.push(merge(state, delta));
  }
}

/** The same refusal, with the place of its pair. */
function placed(cause: ConflictError, place: number): ConflictError {
  const { code, message, rule, limit, value } = cause;
  const known = limit === null ? {} : { limit };
  return new ConflictError(code, message, { field: String(place), rule, ...known, value, cause });
}

/**
 * The merge that is made most often: the delta has one value of a register, which takes the place of the one that it
 * has seen, and nothing else happens. It gives the bytes that the walk of `byte-merge.ts` gives, three times sooner,
 * because all that it has to know fits into variables of its own; where anything is not so plain, it says so and has
 * changed nothing. Nothing outside the given arrays is read, and what it
 * skips of the state it does not look at.
 */
import { varintLength } from '../codec/byte-writer.ts';
import { tagRegister } from '../codec/format.ts';
import { commit, reservedRoom, reservedStart } from '../codec/slab.ts';
import { smallVarint } from '../codec/small-varint.ts';
import {
  head,
  headLength,
  left,
  leftMax,
  leftStays,
  right,
  rightHas,
  rightOf,
  rightTo,
  sharedCounter,
  sharedDots,
} from './head-union.ts';

/**
 * The joined record; `null` where the walk has to make it. The union of both heads is made, and a copy of the
 * state, with room for the delta behind it, is what was reserved last.
 */
export function replaceValue(state: Uint8Array, delta: Uint8Array): Uint8Array | null {
  if (!leftStays || sharedDots !== 1 || !isOnlyEntry(delta)) return null;
  const start = placeOf(state, delta);
  if (start < 0) return null;
  const end = endOf(state, start);
  const entry = right.end;
  const change = delta.length - entry - (end - start);
  const growth = headLength - left.end;
  const room = reservedRoom;
  const base = reservedStart;
  const shift = base + growth;
  if (growth !== 0) room.set(state, shift);
  if (change !== 0) room.copyWithin(shift + end + change, shift + end, shift + state.length);
  for (let at = 0; at < headLength; at++) room[base + at] = head[at] ?? 0;
  const apart = shift + start - entry;
  if (delta.length - entry > 64) room.set(delta.subarray(entry), shift + start);
  else for (let at = entry; at < delta.length; at++) room[apart + at] = delta[at] ?? 0;
  const index = bodyOf(delta, entry);
  room[apart + index] = rightTo[delta[index] ?? 0] ?? 0;
  return commit(room, state.length + growth + change);
}

function bodyOf(bytes: Uint8Array, start: number): number {
  return start + varintLength(smallVarint(bytes, start));
}

function endOf(bytes: Uint8Array, start: number): number {
  return bodyOf(bytes, start) + smallVarint(bytes, start);
}

/** Whether the delta has one entry, whose dot is its own and new to the state. */
function isOnlyEntry(delta: Uint8Array): boolean {
  const body = bodyOf(delta, right.end);
  const actor = delta[body] ?? 0xff;
  const counter = smallVarint(delta, body + 1);
  const isLast = endOf(delta, right.end) === delta.length && counter > (leftMax[actor] ?? 0);
  return isLast && actor < right.actorCount && rightHas(actor, counter);
}

/**
 * Where the one entry of the state lies that has the key of the delta's and was seen by it; -1 where it is not there or
 * has neighbours. Most of a merge is spent in this loop.
 */
function placeOf(state: Uint8Array, delta: Uint8Array): number {
  const { actorCount } = left;
  const last = state.length;
  const body = bodyOf(delta, right.end);
  const key = body + 1 + varintLength(smallVarint(delta, body + 1));
  let place = -1;
  for (let start = left.end; start < last; ) {
    const size = smallVarint(state, start);
    const mine = start + varintLength(size);
    const actor = state[mine] ?? 0x7f;
    const counter = smallVarint(state, mine + 1);
    const end = mine + size;
    if (size <= 2 || end > last || actor >= actorCount || counter <= 0) return -1;
    const apart = mine + 1 + varintLength(counter) - key;
    let at = key;
    while (state[at + apart] === delta[at] && (delta[at] ?? 0xff) < tagRegister) at++;
    const order = (state[at + apart] ?? 0xff) - (delta[at] ?? 0);
    if (order > 0) return place;
    const isSeen = counter === sharedCounter && rightHas(rightOf[actor] ?? -1, counter);
    const isSameKey = order === 0 && at > key && delta[at] === tagRegister && at + apart < end;
    if (isSeen !== isSameKey) return -1;
    if (isSeen) place = start;
    start = end;
  }
  return place;
}

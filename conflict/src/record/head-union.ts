/**
 * The union of the heads of a state and a delta, made in one walk over both: the maps between the indices of actors on
 * both sides and in the union, and whether the delta brings anything at all. It takes heads as ordinary records have
 * them (version 1.0, fewer than 128 actors, new ones in ASCII, counters below 2^28) where the state has seen a contiguous part of every
 * actor and the delta goes on from there, which is what arrives when nothing was lost or overtaken. It declines all
 * else, well formed or not, so it has no errors of its own. Its arrays are used again for every merge.
 */
import { formatMajor, formatMinor, longestActorBytes } from '../codec/format.ts';
import { smallVarint, varintLength } from '../codec/varint.ts';
import {
  beginRewriting,
  changeCount,
  dropUpTo,
  insert,
  insertVarint,
  keepUpTo,
  makeRoom,
} from './rewriting.ts';

const version = (formatMajor << 4) | formatMinor;
/** More actors than this do not fit one byte of index. */
export const mostActors = 127;
const mostRuns = 512;
/** No counter that is read here is as great. */
const beyond = 1 << 28;

/** How many actors each side has, and the first byte after its head. */
export let leftCount = 0;
export let rightCount = 0;
export let leftEnd = 0;
export let rightEnd = 0;
/** Index in the union of each left and each right actor. */
export const leftTo = new Int32Array(mostActors);
export const rightTo = new Int32Array(mostActors);
/** Where the runs of each left and each right actor begin, of what the right has seen. */
export const leftRuns = new Int32Array(mostActors);
export const rightRuns = new Int32Array(mostActors);
/** The last counter that the left has seen of each right actor. */
export const leftMax = new Int32Array(mostActors);
/** Whether entries of the left keep the index of their actor. */
export let leftStays = true;
/** At least as many dots as both sides have seen. */
export let sharedDots = 0;
/** Whether the right has seen a dot that the left has not. */
export let grows = false;

/** Pairs of first and last counter, which go up; those of an actor end with one beyond all counters, as the first is. */
const runs = new Int32Array(2 * mostRuns);
runs.fill(beyond, 0, 2);

let runsEnd = 0;

/** Whether the last delta brought nothing; what is sent again comes in rows, as what is new does. */
let isRepeating = false;

/**
 * Returns whether these are heads that it joins. If the union is greater than the head of `state`, the rewriting of
 * `state` has begun then, and has the union.
 */
export function joinHeads(state: Uint8Array, delta: Uint8Array): boolean {
  // A copy waits for all of a state that lies far away in memory at once, where reading it waits once for each line; so
  // where something new is likely, it comes first. One that was for nothing follows only on one that was not.
  // The delta is asked for before the copy, so that both are waited for together.
  rightCount = delta[1] ?? 0;
  if (!isRepeating) beginRewriting(state, delta.length);
  leftCount = state[1] ?? 0;
  if (state[0] !== version || delta[0] !== version || leftCount * rightCount === 0) return false;
  if (leftCount + rightCount > mostActors) return false;
  leftStays = true;
  sharedDots = 0;
  grows = false;
  runsEnd = 2;
  let mine = 2;
  let theirs = 2;
  let left = 0;
  let right = 0;
  let lastBytes = state;
  let lastName = 0;
  let count = 0;
  // What the delta has seen decides; where that is nothing new, the rest of the state's head is not asked for.
  for (; right < rightCount || (grows && left < leftCount); count++) {
    const order =
      left === leftCount ? 1 : right === rightCount ? -1 : compareNames(state, mine, delta, theirs);
    const bytes = order > 0 ? delta : state;
    const name = order > 0 ? theirs : mine;
    // Names go up in the union, so they do on both sides.
    if (count > 0 && compareNames(lastBytes, lastName, bytes, name) >= 0) return false;
    lastBytes = bytes;
    lastName = name;
    const size = 1 + (bytes[name] ?? 0);
    if (size === 1 || size > longestActorBytes + 1) return false;
    let known = 0;
    if (order <= 0) {
      known = smallVarint(state, name + size);
      mine = name + size + varintLength(known) + 1;
      // It has seen at least one dot, and none beyond one that is missing.
      if (known <= 0 || state[mine - 1] !== 0) return false;
      if (left !== count) leftStays = false;
      leftTo[left] = count;
      leftRuns[left++] = order === 0 ? runsEnd : 0;
    }
    if (order >= 0) {
      leftMax[right] = known;
      rightTo[right] = count;
      rightRuns[right++] = runsEnd;
      const max = readRuns(delta, theirs + size, known);
      if (max < 0) return false;
      theirs = rightEnd;
      if (max === known) continue;
      if (isRepeating) beginRewriting(state, delta.length);
      isRepeating = false;
      grows = true;
      keepUpTo(order > 0 ? mine : name + size);
      if (order <= 0) replaceCounter(mine - 1, max);
      else if (!insertActor(delta, name, max)) return false;
    }
  }
  if (grows) changeCount(count);
  isRepeating = !grows;
  leftEnd = mine;
  return true;
}

/** An actor that the state has seen nothing of; `false` where its name may be no text. */
function insertActor(delta: Uint8Array, name: number, max: number): boolean {
  const end = name + 1 + (delta[name] ?? 0);
  for (let at = name; at < end; at++) if ((delta[at] ?? 0) >= 0x80) return false;
  makeRoom(end - name + varintLength(max) + 1, 0);
  insert(delta, name, end);
  insertVarint(max);
  insertVarint(0);
  return true;
}

/** Another last counter in the place of what the state has up to `end`. */
function replaceCounter(end: number, max: number): void {
  dropUpTo(end);
  makeRoom(varintLength(max), 0);
  insertVarint(max);
}

/**
 * Reads from `start` on what the right has seen of an actor of whom so many counters are known; returns the last counter
 * that is known then, -1 where one before it is missing.
 */
function readRuns(bytes: Uint8Array, start: number, known: number): number {
  let low = 1;
  let high = smallVarint(bytes, start);
  let at = start + varintLength(high);
  let runCount = smallVarint(bytes, at);
  at += varintLength(runCount);
  let index = runsEnd;
  if (high < 0 || runCount < 0 || high + runCount === 0) return -1;
  if (index + 2 * runCount >= runs.length - 2) return -1;
  let max = known;
  for (; ; runCount--) {
    if (low > max + 1) return -1;
    runs[index++] = low;
    runs[index++] = high;
    if (low <= known && low <= high) sharedDots += (high < known ? high : known) - low + 1;
    if (high > max) max = high;
    if (runCount === 0) break;
    const gap = smallVarint(bytes, at);
    at += varintLength(gap);
    const more = smallVarint(bytes, at);
    at += varintLength(more);
    low = high + 2 + gap;
    high = low + more;
    if (gap < 0 || more < 0 || high >= beyond) return -1;
  }
  runs[index++] = beyond;
  runs[index++] = beyond;
  runsEnd = index;
  rightEnd = at;
  return max;
}

/** Whether the right has seen the dot of an actor whose runs begin at `start`. */
export function rightHas(start: number, counter: number): boolean {
  let at = start;
  while (counter > (runs[at + 1] ?? 0)) at += 2;
  return counter >= (runs[at] ?? 0);
}

/** Order of two names as bytes. */
function compareNames(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  const length = a[atA] ?? 0;
  const otherLength = b[atB] ?? 0;
  for (let at = 1; at <= length && at <= otherLength; at++) {
    const difference = (a[atA + at] ?? 0) - (b[atB + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}

/**
 * The union of the heads of a state and a delta, made in one walk over both: one table of actors, the maps between the
 * indices of both sides and of the union, and whether the delta brings anything at all. It takes heads as ordinary
 * records have them (version 1.0, fewer than 128 actors, counters below 2^28) where the state has seen a contiguous
 * part of every actor and the delta goes on from there, which is what arrives when nothing was lost or overtaken. It
 * declines all else, well formed or not, so it has no errors of its own. Its arrays are used again for every merge.
 */
import { formatMajor, formatMinor, longestActorBytes } from '../codec/format.ts';
import { smallVarint, varintLength, writeVarint } from '../codec/varint.ts';

const version = (formatMajor << 4) | formatMinor;
/** More actors than this do not fit one byte of index. */
export const mostActors = 127;
const mostRuns = 256;

/** A head that is read: `end` is the first byte of the next actor, and at last the first after the head. */
interface Head {
  bytes: Uint8Array;
  end: number;
}

const nothing = new Uint8Array(0);
export const left: Head = { bytes: nothing, end: 0 };
export const right: Head = { bytes: nothing, end: 0 };
/** How many actors each side has. */
export let leftCount = 0;
export let rightCount = 0;
/** Index in the union of each left and each right actor. */
export const leftTo = new Int32Array(mostActors);
export const rightTo = new Int32Array(mostActors);
/** Index on the right of each left actor; -1 where it is not there. */
export const rightOf = new Int32Array(mostActors);
/** The last counter that the left has seen of each right actor. */
export const leftMax = new Int32Array(mostActors);
/** Whether entries of the left keep the index of their actor. */
export let leftStays = true;
/** At least as many dots as both sides have seen. */
export let sharedDots = 0;
/** Whether the right has seen a dot that the left has not. */
export let grows = false;
/** How many bytes the head of the union has, and actors: where each has its name, on which side, and its last counter. */
export let headLength = 0;
let unionCount = 0;
const nameAt = new Int32Array(mostActors);
const isOfRight = new Uint8Array(mostActors);
const maxOf = new Int32Array(mostActors);

/** The dots of right actor `i` are the pairs of first and last counter from `runsStart[i]` to `runsStart[i + 1]`. */
const runsStart = new Int32Array(mostActors + 1);
const runs = new Int32Array(2 * mostRuns);
/** Where the last name of the union lies. */
const lastName: Head = { bytes: nothing, end: 0 };

/**
 * Whether the state has seen all that the delta has, as far as that shows in heads that are joined here. Nothing is
 * looked at beyond the last actor of the delta, and nothing is kept.
 */
export function hasSeenAll(state: Uint8Array, delta: Uint8Array): boolean {
  let mine = 2;
  let theirs = 2;
  let more = state[1] ?? 0;
  let wanted = delta[1] ?? 0;
  if (state[0] !== version || delta[0] !== version || wanted === 0 || more + wanted > mostActors)
    return false;
  for (; wanted > 0; wanted--) {
    let at = 0;
    let end = 0;
    let known = 0;
    // Names go up on both sides, so what is passed here is not asked for again.
    do {
      if (more-- === 0) return false;
      end = mine + 1 + (state[mine] ?? 0);
      const apart = theirs - mine;
      at = mine;
      while (at < end && state[at] === delta[at + apart]) at++;
      known = smallVarint(state, end);
      mine = end + varintLength(known) + 1;
      if (known <= 0 || state[mine - 1] !== 0) return false;
    } while (at < end);
    theirs += 1 + (delta[theirs] ?? 0);
    let last = smallVarint(delta, theirs);
    theirs += varintLength(last);
    const runCount = smallVarint(delta, theirs);
    theirs += varintLength(runCount);
    if (last < 0 || runCount < 0) return false;
    for (let rest = 2 * runCount; rest > 0; rest--) {
      const further = smallVarint(delta, theirs);
      theirs += varintLength(further);
      if (further < 0) return false;
      last += further + 1;
    }
    if (last === 0 || last > known) return false;
  }
  return true;
}

/** Begins a head; returns how many actors there are, 0 where it is not one that is read here. */
function begin(side: Head, bytes: Uint8Array): number {
  side.bytes = bytes;
  side.end = 2;
  return bytes[0] === version ? (bytes[1] ?? 0) : 0;
}

/** Returns whether these are heads that it joins. */
export function joinHeads(state: Uint8Array, delta: Uint8Array): boolean {
  leftCount = begin(left, state);
  rightCount = begin(right, delta);
  if (leftCount === 0 || rightCount === 0 || leftCount + rightCount > mostActors) return false;
  leftStays = true;
  sharedDots = 0;
  grows = false;
  headLength = 2;
  let count = 0;
  for (let mine = 0, theirs = 0; mine < leftCount || theirs < rightCount; count++) {
    const order = mine === leftCount ? 1 : theirs === rightCount ? -1 : compareNames(left, right);
    const side = order > 0 ? right : left;
    // Names go up in the union, so they do on both sides.
    if (count > 0 && compareNames(lastName, side) >= 0) return false;
    lastName.bytes = side.bytes;
    lastName.end = side.end;
    nameAt[count] = side.end;
    isOfRight[count] = order > 0 ? 1 : 0;
    let max = 0;
    if (order <= 0) {
      max = readRuns(left, theirs, 0);
      if (max < 0) return false;
      if (mine !== count) leftStays = false;
      leftTo[mine] = count;
      rightOf[mine++] = order === 0 ? theirs : -1;
    }
    if (order >= 0) {
      rightTo[theirs] = count;
      const known = max;
      max = readRuns(right, theirs++, known);
      if (max < 0) return false;
      if (max > known) grows = true;
    }
    maxOf[count] = max;
    headLength += (lastName.bytes[lastName.end] ?? 0) + varintLength(max) + 2;
  }
  unionCount = count;
  return true;
}

/** Writes the head of the union: `headLength` bytes. */
export function writeHead(room: Uint8Array, start: number): void {
  room[start] = version;
  room[start + 1] = unionCount;
  let to = start + 2;
  for (let index = 0; index < unionCount; index++) {
    const { bytes } = isOfRight[index] === 1 ? right : left;
    const first = nameAt[index] ?? 0;
    const last = first + (bytes[first] ?? 0);
    for (let at = first; at <= last; at++) room[to++] = bytes[at] ?? 0;
    to = writeVarint(room, to, maxOf[index] ?? 0);
    room[to++] = 0;
  }
}

/**
 * Reads what a side has seen of an actor, as of right actor `index`, where so many counters are known; returns the last
 * counter that is known then, -1 where one before it is missing. Of the left no runs are known, so it has to have none.
 */
function readRuns(side: Head, actor: number, known: number): number {
  const { bytes, end } = side;
  const size = bytes[end] ?? 0;
  let at = end + 1 + size;
  let low = 1;
  let high = smallVarint(bytes, at);
  at += varintLength(high);
  const runCount = smallVarint(bytes, at);
  at += varintLength(runCount);
  let index = runsStart[actor] ?? 0;
  if (size === 0 || size > longestActorBytes || high < 0 || runCount < 0 || high + runCount === 0) return -1;
  if (index + 2 * runCount >= runs.length) return -1;
  let max = known;
  for (let run = 0; ; run++) {
    if (low > max + 1) return -1;
    runs[index++] = low;
    runs[index++] = high;
    if (low <= known && low <= high) sharedDots += (high < known ? high : known) - low + 1;
    if (high > max) max = high;
    if (run === runCount) break;
    const gap = smallVarint(bytes, at);
    at += varintLength(gap);
    const more = smallVarint(bytes, at);
    at += varintLength(more);
    low = high + 2 + gap;
    high = low + more;
    if (gap < 0 || more < 0 || high >= 1 << 28) return -1;
  }
  leftMax[actor] = known;
  runsStart[actor + 1] = index;
  side.end = at;
  return max;
}

/** Whether the right has seen the dot of its actor at `index`; -1 is an actor that it lacks. */
export function rightHas(index: number, counter: number): boolean {
  if (index < 0) return false;
  const end = runsStart[index + 1] ?? 0;
  for (let at = runsStart[index] ?? 0; at < end; at += 2) {
    if (counter < (runs[at] ?? 0)) return false;
    if (counter <= (runs[at + 1] ?? 0)) return true;
  }
  return false;
}

/** Order of two names as bytes. */
function compareNames(a: Head, b: Head): number {
  const length = a.bytes[a.end] ?? 0;
  const otherLength = b.bytes[b.end] ?? 0;
  for (let at = 1; at <= length && at <= otherLength; at++) {
    const difference = (a.bytes[a.end + at] ?? 0) - (b.bytes[b.end + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return length - otherLength;
}

/**
 * The join of a state and a delta as one forward walk over two sorted byte sequences, for the records and deltas that
 * are merged all day: it gives exactly the bytes of `join.ts`, some ten times sooner, or declines. It declines whatever
 * is out of the ordinary, malformed bytes among it, so it has no errors of its own and decides nothing that the
 * definition does not. Nothing outside the given arrays is read. What it skips of the state it does not look at.
 */
import { varintLength } from '../codec/byte-writer.ts';
import {
  deepestPath,
  pathSeparator,
  tagDeletion,
  tagExtended,
  tagMark,
  tagRegister,
  traitsOf,
  traitSub,
  traitVector,
} from '../codec/format.ts';
import { commit, largestShared, reserveCopy, reservedRoom, reservedStart } from '../codec/slab.ts';
import { smallVarint, writeVarint } from '../codec/small-varint.ts';
import { binaryOfBytes } from '../codec/utf8.ts';
import { namesOfPath } from './entry.ts';
import {
  grows,
  type Head,
  head,
  headLength,
  joinHeads,
  left,
  leftMax,
  leftStays,
  leftTo,
  right,
  rightHas,
  rightOf,
  rightTo,
  sharedDots,
} from './head-union.ts';
import { replaceValue } from './replace-value.ts';

/** An entry where it lies: its first byte, the first of its body and of its key, the first after it, and its dot. */
class EntryPlace {
  start = 0;
  body = 0;
  key = 0;
  end = 0;
  actor = 0;
  counter = 0;

  /** Reads the entry at `start`; `false` where it is not one that the walk takes. */
  read({ bytes, actorCount }: Head, start: number): boolean {
    const size = smallVarint(bytes, start);
    const body = start + varintLength(size);
    const actor = bytes[body] ?? 0x7f;
    const counter = smallVarint(bytes, body + 1);
    const end = body + size;
    this.start = start;
    this.body = body;
    this.key = body + 1 + varintLength(counter);
    this.end = end;
    this.actor = actor;
    this.counter = counter;
    return size > 2 && end <= bytes.length && actor < actorCount && counter > 0;
  }
}

/** A key of the delta where it lies. */
class KeyPlace {
  start = 0;
  end = 0;
}

// A merge runs from its first line to its last without giving way, so all merges share their working memory.
/** The entry of the delta that comes next, its key and its tag. */
const theirs = new EntryPlace();
const theirKey = new KeyPlace();
let tag = 0;
/** The entry of the state that goes with it. */
const mine = new EntryPlace();
/** The key before `theirKey`, and the one of a register that was inserted and has a neighbour in the state. */
const lastKey = new KeyPlace();
const addedKey = new KeyPlace();
const vector = new Int32Array(64);

export interface ByteMerged {
  /** The join; the state itself where nothing changes. */
  bytes: Uint8Array;
  /** Whether a register may have got another value beside one that it had. */
  siblings: boolean;
}

const merged: ByteMerged = { bytes: new Uint8Array(0), siblings: false };

/** More than this, besides what was read of both sides, is never written. */
const spareBytes = 16;

/** `null` where the definition has to be asked. What it returns holds until the next call. */
export function byteMerge(state: Uint8Array, delta: Uint8Array): ByteMerged | null {
  // A copy waits for all of a state that lies far away in memory at once, where reading it waits once for each line;
  // so small states are copied first. Large ones are not, because it may turn out that there is nothing to do.
  const more = delta.length + spareBytes;
  const isSmall = state.length + more <= largestShared;
  if (isSmall) reserveCopy(state, more);
  if (!joinHeads(state, delta)) return null;
  merged.bytes = state;
  merged.siblings = false;
  if (!grows) return merged;
  if (!isSmall) reserveCopy(state, more);
  const replaced = replaceValue(state, delta);
  if (replaced === null) return walk(state, delta) ? merged : null;
  merged.bytes = replaced;
  return merged;
}

/** What of the state is still to be moved begins at `from`; it lies `shift` further in the room and goes to `to`. */
let room = merged.bytes;
let shift = 0;
let from = 0;
let to = 0;
/** Where the walk stands in the state. */
let place = 0;
/** At least as many entries of the state as may still have to go. */
let removals = 0;
/** Whether the entry of the state at which the walk stands has the key of the delta's. */
let isNeighbour = false;

function walk(state: Uint8Array, delta: Uint8Array): boolean {
  // The copy of the state lies where it belongs up to the first change, if the head does not grow.
  room = reservedRoom;
  const base = reservedStart;
  from = left.end;
  to = base + headLength;
  shift = to - from;
  if (shift !== base) room.set(state, shift);
  for (let index = 0; index < headLength; index++) room[base + index] = head[index] ?? 0;
  place = from;
  removals = sharedDots;
  addedKey.end = 0;
  if (!joinEntries(delta.length)) return false;
  moveUpTo(state.length);
  merged.bytes = commit(room, to - base);
  return true;
}

function joinEntries(last: number): boolean {
  let next = right.end;
  if (next < last && !readTheirs(next)) return false;
  for (;;) {
    const order = passMine(next < last);
    if (order < 0) return order === finished;
    if (order > 0) addTheirs();
    else if (!joinBoth()) return false;
    next = theirs.end;
    if (next < last && !nextOfTheirs(next)) return false;
  }
}

/** Reads an entry of the delta and checks its key, which may come from anywhere. Throws `malformed` as decoding does. */
function readTheirs(start: number): boolean {
  if (!theirs.read(right, start) || !rightHas(theirs.actor, theirs.counter)) return false;
  return readKey(right.bytes, theirs.key) && theirKey.end <= theirs.end;
}

function readKey(bytes: Uint8Array, start: number): boolean {
  let depth = 1;
  let isAscii = true;
  let end = start;
  let byte = bytes[end] ?? tagExtended;
  for (; byte < tagRegister; byte = bytes[++end] ?? tagExtended) {
    if (byte === pathSeparator) depth++;
    else if (byte >= 0x80) isAscii = false;
  }
  if (!isAscii) namesOfPath(binaryOfBytes(bytes, start, end));
  tag = byte === tagExtended ? tagExtended * 256 + (bytes[end + 1] ?? 0) : byte;
  if (end === start && tag !== tagMark && tag !== tagDeletion && tag < tagExtended) return false;
  end += byte === tagExtended ? 2 : 1;
  if ((traitsOf(tag) & traitSub) !== 0) {
    const length = smallVarint(bytes, end);
    if (length < 0) return false;
    end += varintLength(length) + length;
  }
  theirKey.start = start;
  theirKey.end = end;
  return depth <= deepestPath;
}

/** Moves on in the delta, whose order is checked. */
function nextOfTheirs(start: number): boolean {
  const { bytes } = right;
  const { actor, counter } = theirs;
  lastKey.start = theirKey.start;
  lastKey.end = theirKey.end;
  if (!readTheirs(start)) return false;
  const { key } = theirs;
  const same = common(bytes, key, lastKey);
  const difference = (bytes[key + same] ?? 0) - (bytes[lastKey.start + same] ?? 0);
  if (!isWhole(same, lastKey)) return difference > 0;
  if (tag === tagRegister) merged.siblings = true;
  return actor < theirs.actor || (actor === theirs.actor && counter < theirs.counter && !isSlot());
}

/** How many bytes from `at` are those of a key of the delta. */
function common(bytes: Uint8Array, at: number, { start, end }: KeyPlace): number {
  const other = right.bytes;
  const apart = at - start;
  let index = start;
  while (index < end && bytes[index + apart] === other[index]) index++;
  return index - start;
}

function isWhole(length: number, { start, end }: KeyPlace): boolean {
  return length === end - start;
}

/** What `compareKey` answers where an entry ends before its key does. */
const noKey = 0x100;

/** Order of the key of `mine` and of `theirKey`. No key is the beginning of another. */
function compareKey(): number {
  const { bytes } = left;
  const same = common(bytes, mine.key, theirKey);
  const key = mine.key + same;
  if (isWhole(same, theirKey)) return key > mine.end ? noKey : 0;
  return key < mine.end ? (bytes[key] ?? 0) - (right.bytes[theirKey.start + same] ?? 0) : noKey;
}

/** What `passMine` answers where nothing is left to do, and where the definition has to be asked. */
const finished = -1;
const declined = -2;

/**
 * Passes what the state has before the delta's entry, and lets go what the delta has seen and lacks. Answers 0 where
 * both have `mine`; more than 0 where the delta's comes first; else `finished` or `declined`.
 */
function passMine(isMore: boolean): number {
  const last = left.bytes.length;
  while (place < last) {
    if (!isMore && leftStays && removals === 0 && addedKey.end === 0) break;
    if (!mine.read(left, place)) return declined;
    let order = isMore ? compareKey() : -1;
    if (order === noKey) return declined;
    const sameKey = order === 0;
    if (sameKey) order = (leftTo[mine.actor] ?? 0) - (rightTo[theirs.actor] ?? 0);
    if (sameKey && order === 0 && !isSlot()) order = mine.counter - theirs.counter;
    if (order >= 0) {
      isNeighbour = sameKey;
      return order;
    }
    place = mine.end;
    if (removals > 0 && rightHas(rightOf[mine.actor] ?? -1, mine.counter)) {
      removals--;
      dropMine();
    } else keepMine(sameKey);
  }
  isNeighbour = false;
  return isMore ? 1 : finished;
}

/** An entry of the state whose key and actor the delta lacks. */
function keepMine(sameKey: boolean): void {
  if (sameKey && tag === tagRegister) merged.siblings = true;
  if (addedKey.end > 0) {
    if (isWhole(common(left.bytes, mine.key, addedKey), addedKey)) merged.siblings = true;
    else addedKey.end = 0;
  }
  holdMine();
}

/** Lets an entry of the state stay, under the index that its actor has in the union. */
function holdMine(): void {
  const index = leftTo[mine.actor] ?? 0;
  if (index === mine.actor) return;
  moveUpTo(mine.end);
  room[to - mine.end + mine.body] = index;
}

function dropMine(): void {
  moveUpTo(mine.start);
  from = mine.end;
}

/** An entry of the delta that the state lacks, or has seen go: it has seen a contiguous part of every actor. */
function addTheirs(): void {
  if (theirs.counter <= (leftMax[theirs.actor] ?? 0)) return;
  moveUpTo(place);
  insertTheirs();
}

function insertTheirs(): void {
  const { bytes } = right;
  const { start, body, end } = theirs;
  makeRoom(end - start);
  const apart = to - start;
  const target = room;
  if (end - start > 64) target.set(bytes.subarray(start, end), to);
  else for (let offset = start; offset < end; offset++) target[offset + apart] = bytes[offset] ?? 0;
  target[body + apart] = rightTo[theirs.actor] ?? 0;
  to += end - start;
  addedKey.start = theirKey.start;
  addedKey.end = isNeighbour && tag === tagRegister ? theirKey.end : 0;
}

/** Whether the delta's entry is a vector of growing numbers, of which an actor has one at a key. */
function isSlot(): boolean {
  return (traitsOf(tag) & traitVector) !== 0;
}

/** One entry that is on both sides, or one slot. */
function joinBoth(): boolean {
  place = mine.end;
  if (isSlot()) return joinSlots();
  removals--;
  if (!hasSamePayload()) return false;
  holdMine();
  return true;
}

/** One dot has one payload; where somebody forged another, the definition decides. */
function hasSamePayload(): boolean {
  const { bytes } = left;
  const offset = theirs.end - mine.end;
  if (mine.end - mine.key !== theirs.end - theirs.key) return false;
  for (let index = mine.key; index < mine.end; index++) {
    if (bytes[index] !== right.bytes[index + offset]) return false;
  }
  return true;
}

/** The later birth wins; of one birth each number is the greater of both. */
function joinSlots(): boolean {
  if (mine.counter > theirs.counter) {
    holdMine();
    return true;
  }
  if (mine.counter === theirs.counter) return joinNumbers();
  dropMine();
  insertTheirs();
  return true;
}

function joinNumbers(): boolean {
  const { bytes } = right;
  const length = joinVectors();
  if (length < 0) return false;
  let size = theirKey.end - theirs.body;
  for (let index = 0; index < length; index++) size += varintLength(vector[index] ?? 0);
  dropMine();
  makeRoom(varintLength(size) + size);
  to = writeVarint(room, to, size);
  room[to++] = leftTo[mine.actor] ?? 0;
  for (let index = theirs.body + 1; index < theirKey.end; index++) room[to++] = bytes[index] ?? 0;
  for (let index = 0; index < length; index++) to = writeVarint(room, to, vector[index] ?? 0);
  return true;
}

/** Fills `vector`; returns its length, or -1 where the numbers are not in their shortest form or too large. */
function joinVectors(): number {
  let a = mine.key + theirKey.end - theirKey.start;
  let b = theirKey.end;
  let length = 0;
  let last = 1;
  for (; a < mine.end || b < theirs.end; length++) {
    const my = a < mine.end ? smallVarint(left.bytes, a) : 0;
    if (a < mine.end) a += varintLength(my);
    const their = b < theirs.end ? smallVarint(right.bytes, b) : 0;
    if (b < theirs.end) b += varintLength(their);
    if (my < 0 || their < 0 || length === vector.length) return -1;
    last = my > their ? my : their;
    vector[length] = last;
  }
  return a === mine.end && b === theirs.end && last > 0 ? length : -1;
}

/** Moves the state's bytes up to `end` to where they belong. */
function moveUpTo(end: number): void {
  if (end <= from) return;
  if (to < shift + from) room.copyWithin(to, shift + from, shift + end);
  to += end - from;
  from = end;
}

/** Lets `byteCount` bytes be written without touching what of the state is still to be moved. */
function makeRoom(byteCount: number): void {
  const missing = to + byteCount - shift - from;
  if (missing <= 0) return;
  // What else the delta has gets its room at once, so that nothing is moved out of the way twice.
  const by = missing + right.bytes.length - theirs.end;
  room.copyWithin(shift + from + by, shift + from, shift + left.bytes.length);
  shift += by;
}

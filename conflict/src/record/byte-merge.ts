/**
 * The join of a state and a delta as one forward walk over two sorted byte sequences, for the records and deltas that
 * are merged all day: it gives exactly the bytes of `join.ts`, some ten times sooner, or declines. It declines whatever
 * is out of the ordinary, malformed bytes among it, so it has no errors of its own and decides nothing that the
 * definition does not. Nothing outside the given arrays is read. What it skips of the state it does not look at.
 */
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
import { varintLength } from '../codec/byte-writer.ts';
import { commit, reserve, reserved } from '../codec/slab.ts';
import { cursor, type Head, smallVarint, writeVarint } from './head.ts';
import { binaryOfBytes } from '../codec/utf8.ts';
import { namesOfPath } from './entry.ts';
import { HeadUnion } from './head-union.ts';

/** An entry where it lies: its first byte, the first of its body and of its key, the first after it, and its dot. */
class EntryCursor {
  start = 0;
  body = 0;
  key = 0;
  end = 0;
  actor = 0;
  counter = 0;

  /** Reads the entry at `offset`; `false` where it is not one that the walk takes. */
  read({ bytes, actorCount }: Head, offset: number): boolean {
    const size = smallVarint(bytes, offset);
    const body = cursor.end;
    const actor = bytes[body] ?? 0x7f;
    const counter = smallVarint(bytes, body + 1);
    this.start = offset;
    this.body = body;
    this.key = cursor.end;
    this.end = body + size;
    this.actor = actor;
    this.counter = counter;
    return size > 2 && this.end <= bytes.length && actor < actorCount && counter > 0;
  }
}

// A merge runs from its first line to its last without giving way, so all merges share their working memory.
const heads = new HeadUnion();
const mine = new EntryCursor();
const theirs = new EntryCursor();
/** Where the key of the delta's entry ends, and its tag. */
let keyEnd = 0;
let tag = 0;
const vector = new Int32Array(64);

/** What `compareKey` answers where an entry ends before its key does. */
const noKey = 0x100;

export interface ByteMerged {
  /** The join; the state itself where nothing changes. */
  bytes: Uint8Array;
  /** Whether a register may have got another value beside one that it had. */
  siblings: boolean;
}

const merged: ByteMerged = { bytes: new Uint8Array(0), siblings: false };

/** `null` where the definition has to be asked. What it returns holds until the next call. */
export function byteMerge(state: Uint8Array, delta: Uint8Array): ByteMerged | null {
  if (!heads.join(state, delta)) return null;
  merged.bytes = state;
  merged.siblings = false;
  return !heads.grows || walk(state, delta) ? merged : null;
}

/** What of the state is still to be copied begins at `from`; it lies `shift` further in the room and goes to `to`. */
let room = merged.bytes;
let shift = 0;
let from = 0;
let to = 0;
/** Where the walk stands in the state. */
let at = 0;
/** At least as many entries of the state as may still have to go. */
let removals = 0;
/** Where the key of a register lies that was inserted and may have a neighbour in the state; else -1. */
let added = -1;
let addedEnd = 0;

function walk(state: Uint8Array, delta: Uint8Array): boolean {
  // The state lies at the end of the room, and its parts are moved forward. What is written is never longer than what
  // was read of both sides, so it never reaches what is still to be moved.
  const slack = delta.length + 16;
  room = reserve(state.length + slack);
  const base = reserved.start;
  shift = base + slack;
  room.set(state, shift);
  to = heads.write(room, base);
  from = heads.left.end;
  at = from;
  removals = heads.sharedDots;
  added = -1;
  if (!joinEntries(state, delta)) return false;
  copyUpTo(state.length);
  merged.bytes = commit(room, to - base);
  return true;
}

function joinEntries(state: Uint8Array, delta: Uint8Array): boolean {
  const { left, right, leftTo, rightTo } = heads;
  const last = state.length;
  let next = right.end;
  if (at < last && !mine.read(left, at)) return false;
  if (next < delta.length && !readTheirs(right, next)) return false;
  while (next < delta.length || (at < last && (removals > 0 || added >= 0 || !heads.leftStays))) {
    let order = next === delta.length ? -1 : at === last ? 1 : compareKey(heads.left, mine);
    if (order === noKey) return false;
    const sameKey = order === 0;
    if (sameKey) order = (leftTo[mine.actor] ?? 0) - (rightTo[theirs.actor] ?? 0);
    if (sameKey && order === 0 && !isSlot()) order = mine.counter - theirs.counter;
    const joined = order < 0 ? keepMine(sameKey) : order > 0 ? addTheirs() : joinBoth();
    if (!joined) return false;
    if (order <= 0) {
      at = mine.end;
      if (at < last && !mine.read(left, at)) return false;
    }
    if (order >= 0) {
      next = theirs.end;
      if (next < delta.length && !nextOfTheirs(right, next)) return false;
    }
  }
  return true;
}

/** Reads an entry of the delta and checks its key, which may come from anywhere. Throws `malformed` as decoding does. */
function readTheirs(head: Head, offset: number): boolean {
  if (!theirs.read(head, offset)) return false;
  const { bytes } = head;
  let depth = 1;
  let isAscii = true;
  let end = theirs.key;
  let byte = bytes[end] ?? tagExtended;
  for (; byte < tagRegister; byte = bytes[++end] ?? tagExtended) {
    if (byte === pathSeparator) depth++;
    else if (byte >= 0x80) isAscii = false;
  }
  if (!isAscii) namesOfPath(binaryOfBytes(bytes, theirs.key, end));
  tag = byte === tagExtended ? tagExtended * 256 + (bytes[end + 1] ?? 0) : byte;
  keyEnd = end + (byte === tagExtended ? 2 : 1);
  if (end === theirs.key && tag !== tagMark && tag !== tagDeletion && tag < tagExtended) return false;
  if ((traitsOf(tag) & traitSub) !== 0) {
    const length = smallVarint(bytes, keyEnd);
    if (length < 0) return false;
    keyEnd = cursor.end + length;
  }
  return depth <= deepestPath && keyEnd <= theirs.end && head.has(theirs.actor, theirs.counter);
}

/** Moves on in the delta, whose order is checked. */
function nextOfTheirs(head: Head, offset: number): boolean {
  const { actor, counter, key } = theirs;
  const end = keyEnd;
  if (!readTheirs(head, offset)) return false;
  const order = compareKey(head, theirs, key, end);
  if (order === 0 && tag === tagRegister) merged.siblings = true;
  if (order !== 0) return order > 0 && order !== noKey;
  return actor < theirs.actor || (actor === theirs.actor && counter < theirs.counter && !isSlot());
}

/** Order of an entry's key and of the one between `key` and `end` of the delta. No key is the beginning of another. */
function compareKey({ bytes }: Head, entry: EntryCursor, key = theirs.key, end = keyEnd): number {
  const other = heads.right.bytes;
  let index = entry.key;
  for (let offset = key; offset < end; offset++) {
    if (index >= entry.end) return noKey;
    const difference = (bytes[index++] ?? 0) - (other[offset] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An entry of the state whose key and actor the delta lacks. */
function keepMine(sameKey: boolean): boolean {
  if (removals > 0 && isMineSeen()) {
    removals--;
    dropMine();
    return true;
  }
  if (sameKey && tag === tagRegister) merged.siblings = true;
  if (added >= 0 && compareKey(heads.left, mine, added, addedEnd) === 0) merged.siblings = true;
  else added = -1;
  return holdMine();
}

function isMineSeen(): boolean {
  return heads.right.has(heads.rightOf[mine.actor] ?? -1, mine.counter);
}

function isTheirsSeen(): boolean {
  return heads.left.has(heads.leftOf[theirs.actor] ?? -1, theirs.counter);
}

function dropMine(): void {
  copyUpTo(mine.start);
  from = mine.end;
}

/** Lets an entry of the state stay, under the index that its actor has in the union. */
function holdMine(): boolean {
  const index = heads.leftTo[mine.actor] ?? 0;
  if (index === mine.actor) return true;
  copyUpTo(mine.end);
  room[to - mine.end + mine.body] = index;
  return true;
}

/** An entry of the delta whose key and actor the state lacks. */
function addTheirs(): boolean {
  if (isTheirsSeen()) return true;
  copyUpTo(at);
  insertTheirs();
  return true;
}

function insertTheirs(): void {
  const { bytes } = heads.right;
  const { start, end } = theirs;
  const index = to + theirs.body - start;
  if (end - start > 32) {
    room.set(bytes.subarray(start, end), to);
    to += end - start;
  } else for (let offset = start; offset < end; offset++) room[to++] = bytes[offset] ?? 0;
  room[index] = heads.rightTo[theirs.actor] ?? 0;
  added = tag === tagRegister ? theirs.key : -1;
  addedEnd = keyEnd;
}

/** Whether the delta's entry is a vector of growing numbers, of which an actor has one at a key. */
function isSlot(): boolean {
  return (traitsOf(tag) & traitVector) !== 0;
}

/** One entry that is on both sides, or one slot. */
function joinBoth(): boolean {
  if (isSlot()) return joinSlots();
  removals--;
  return hasSamePayload() && holdMine();
}

/** One dot has one payload; where somebody forged another, the definition decides. */
function hasSamePayload(): boolean {
  const { bytes } = heads.left;
  const offset = theirs.end - mine.end;
  if (mine.end - mine.key !== theirs.end - theirs.key) return false;
  for (let index = mine.key; index < mine.end; index++) {
    if (bytes[index] !== heads.right.bytes[index + offset]) return false;
  }
  return true;
}

/** The later birth wins; of one birth each number is the greater of both. */
function joinSlots(): boolean {
  if (mine.counter > theirs.counter) return holdMine();
  if (mine.counter < theirs.counter) {
    dropMine();
    insertTheirs();
    return true;
  }
  const keyBytes = keyEnd - theirs.body - 1;
  const length = joinVectors();
  if (length < 0) return false;
  let size = 1 + keyBytes;
  for (let index = 0; index < length; index++) size += varintLength(vector[index] ?? 0);
  dropMine();
  to = writeVarint(room, to, size);
  room[to++] = heads.leftTo[mine.actor] ?? 0;
  for (let index = theirs.body + 1; index < keyEnd; index++) room[to++] = heads.right.bytes[index] ?? 0;
  for (let index = 0; index < length; index++) to = writeVarint(room, to, vector[index] ?? 0);
  return true;
}

/** Fills `vector`; returns its length, or -1 where the numbers are not in their shortest form or too large. */
function joinVectors(): number {
  let a = mine.key + keyEnd - theirs.key;
  let b = keyEnd;
  let length = 0;
  let last = 1;
  for (; a < mine.end || b < theirs.end; length++) {
    const left = a < mine.end ? smallVarint(heads.left.bytes, a) : 0;
    if (a < mine.end) a = cursor.end;
    const right = b < theirs.end ? smallVarint(heads.right.bytes, b) : 0;
    if (b < theirs.end) b = cursor.end;
    if (left < 0 || right < 0 || length === vector.length) return -1;
    last = left > right ? left : right;
    vector[length] = last;
  }
  return a === mine.end && b === theirs.end && last > 0 ? length : -1;
}

/** Moves the state's bytes up to `end` to where they belong. */
function copyUpTo(end: number): void {
  if (end <= from) return;
  room.copyWithin(to, shift + from, shift + end);
  to += end - from;
  from = end;
}

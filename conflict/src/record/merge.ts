/**
 * The join of two states, or of a state and a delta, which is the same thing: what both hold survives, and what only
 * one holds survives if the other has not seen its dot. It needs no schema and enforces no limit. It is one forward
 * walk over two sorted byte sequences that notes which pieces of them make the result, and one copy. When `delta`
 * brings nothing, the result is `state` itself, the same reference; that is decided from the contexts alone, because
 * every edit issues at least one dot. Bytes that do not follow the format end in a typed error; nothing outside the
 * given arrays is read. (Almeida, Shoker, Baquero, "Delta State Replicated Data Types", 2018.)
 */
import { malformed } from '../errors.ts';
import { varintLength } from '../codec/byte-writer.ts';
import { tagExtended, tagRegister, traitsOf, traitSub, traitVector } from '../codec/format.ts';
import { pathOf } from '../codec/path.ts';
import { binaryOfBytes } from '../codec/utf8.ts';
import { namesOfPath } from './entry.ts';
import { decode } from './decoded-record.ts';
import { compareKeys, EntryCursor, equalKeys } from './entry-cursor.ts';
import { liveEntries } from './liveness.ts';
import { cursor, varintAt } from './head.ts';
import { HeadJoin } from './head-join.ts';
import { fromDelta, fromScratch, fromState, Pieces } from './pieces.ts';

export interface Merged {
  readonly state: Uint8Array;
  /** Whether `state` differs from the first argument. */
  readonly changed: boolean;
  /** Paths of registers that this merge left showing one of several concurrent values. */
  readonly conflicts: readonly string[];
}

const none: readonly string[] = Object.freeze([]);

/**
 * Joins `delta` into `state`. Both may be states or deltas, in either order; empty bytes are a record of which nothing
 * was ever seen. Throws `malformed` or `newer-format`.
 */
export function merge(state: Uint8Array, delta: Uint8Array): Merged {
  if (delta.length === 0 || state === delta || !heads.join(state, delta)) {
    return { state, changed: false, conflicts: none };
  }
  pieces.begin(heads.length);
  if (heads.length === 0) patchHead();
  conflicts = none;
  walk();
  const joined = pieces.assemble(heads.bytes, state, delta);
  return { state: joined, changed: true, conflicts: conflicts.length === 0 ? none : shownConflicts(joined) };
}

// One merge runs from its first line to its last without giving way, so its working memory is shared by all merges.
const heads = new HeadJoin();
const pieces = new Pieces();
const mine = new EntryCursor();
const theirs = new EntryCursor();
const previous = new EntryCursor();
let vector = new Float64Array(8);
/** Paths, as binary strings, under which a register of the state meets one of the delta. */
let conflicts: readonly string[] = none;
/** First byte of the state that is part of the result and not yet among the pieces. */
let runStart = 0;
/** At least as many entries of the state as the delta may still remove. */
let removals = 0;
/** Where the entry kept last, and the one added last, have their keys; -1 where it cannot be a neighbour. */
let keptKey = -1;
let addedKey = -1;

/** Of the conflicts that were noted, those that no deletion hides. */
function shownConflicts(joined: Uint8Array): readonly string[] {
  const { entries } = decode(joined);
  const shown = liveEntries(entries).filter((entry) => entry.tag === tagRegister);
  const paths = shown.map((entry) => entry.path);
  const several = new Set(paths.filter((path, index) => paths[index - 1] === path));
  return conflicts.filter((path) => several.has(path)).map((path) => pathOf(namesOfPath(path)));
}

function patchHead(): void {
  for (let at = 0; at < 2 * heads.patchCount; at += 2)
    pieces.patch(heads.patches[at] ?? 0, heads.patches[at + 1] ?? 0);
}

function walk(): void {
  mine.begin(heads.left);
  theirs.begin(heads.right);
  runStart = heads.length === 0 ? 0 : mine.start;
  removals = heads.sharedDots;
  keptKey = -1;
  addedKey = -1;
  while (!theirs.done) {
    if (addedKey === -1) skipMine(theirs.bytes[theirs.key] ?? 0);
    let order = mine.done ? 1 : compareKeys(mine, theirs);
    if (order === 0) order = (heads.leftTo[mine.actor] ?? 0) - (heads.rightTo[theirs.actor] ?? 0);
    if (order < 0) keepMine();
    else if (order > 0) addTheirs();
    else joinBoth();
    if (order <= 0) mine.next(heads.left);
    if (order >= 0) nextOfTheirs();
  }
  finishMine();
}

/** Moves on in the delta, whose order is checked because it may come from anywhere. */
function nextOfTheirs(): void {
  const isLast = theirs.end >= theirs.bytes.length;
  if (!isLast) previous.copy(theirs);
  theirs.next(heads.right);
  if (isLast) return;
  const order = compareKeys(previous, theirs);
  if (order > 0 || (order === 0 && previous.actor >= theirs.actor)) throw malformed('entries out of order');
}

/** The rest of the state, entry by entry only as long as one of them may have to go or to change. */
function finishMine(): void {
  while (mustVisitMine()) {
    if (addedKey === -1) skipMine(tagExtended + 1);
    if (mine.done) break;
    keepMine();
    mine.next(heads.left);
  }
  flush(mine.bytes.length);
}

function mustVisitMine(): boolean {
  return !mine.done && (removals > 0 || addedKey !== -1 || !heads.leftStays);
}

/**
 * Moves over entries of the state that stay as they are and whose key begins below `keyByte`. Only a short cut: it
 * stops at anything out of the ordinary and leaves it to the walk.
 */
function skipMine(keyByte: number): void {
  if (mine.done || !heads.leftStays) return;
  const { bytes } = mine;
  const { lowest, highest } = heads.right;
  const limit = bytes.length - 4;
  const knownActors = Math.min(heads.left.actorCount, 0x80);
  let at = mine.start;
  while (at < limit) {
    const length = bytes[at] ?? 0;
    const actor = bytes[at + 1] ?? 0;
    let counter = bytes[at + 2] ?? 0;
    let key = at + 3;
    if (counter >= 0x80) counter = (counter & 0x7f) | ((bytes[key++] ?? 0) << 7);
    if (length >= 0x80 || actor >= knownActors || counter >= 0x4000) break;
    if ((bytes[key] ?? 0) >= keyByte) break;
    const other = heads.rightOf[actor] ?? -1;
    if (other !== -1 && removals > 0 && counter >= (lowest[other] ?? 0) && counter <= (highest[other] ?? 0))
      break;
    at += 1 + length;
  }
  if (at === mine.start) return;
  if (at > bytes.length) throw malformed('length');
  mine.end = at;
  mine.next(heads.left);
  keptKey = -1;
}

/** An entry of the state whose key and actor the delta lacks. */
function keepMine(): void {
  const other = heads.rightOf[mine.actor] ?? -1;
  if (other !== -1 && removals > 0 && heads.right.has(other, mine.counter)) dropMine();
  else holdMine();
}

function holdMine(): void {
  if (addedKey !== -1) {
    if (sameRegister(mine.bytes, mine.key, addedKey)) noteConflict(mine);
    addedKey = -1;
  }
  keptKey = mine.key;
  const index = heads.leftTo[mine.actor] ?? 0;
  if (index === mine.actor) return;
  if (index < 0x80) return pieces.patch(pieces.length + mine.body - runStart, index);
  flush(mine.start);
  rewrite(mine, index);
  runStart = mine.end;
}

function dropMine(): void {
  removals--;
  flush(mine.start);
  runStart = mine.end;
}

/** An entry of the delta whose key and actor the state lacks. */
function addTheirs(): void {
  const other = heads.leftOf[theirs.actor] ?? -1;
  if (other === -1 || !heads.left.has(other, theirs.counter)) insertTheirs();
}

function insertTheirs(): void {
  if (!heads.right.has(theirs.actor, theirs.counter)) throw malformed('dot not in context');
  checkKey(theirs);
  flush(mine.start);
  const neighbour = keptKey !== -1 && sameRegister(mine.bytes, keptKey, theirs.key);
  if (neighbour || (addedKey !== -1 && sameRegister(theirs.bytes, addedKey, theirs.key)))
    noteConflict(theirs);
  addedKey = theirs.key;
  const index = heads.rightTo[theirs.actor] ?? 0;
  if (index !== theirs.actor && index >= 0x80) return rewrite(theirs, index);
  if (index !== theirs.actor) pieces.patch(pieces.length + theirs.body - theirs.start, index);
  pieces.add(fromDelta, theirs.start, theirs.end);
}

/** Entries of one key and one actor on both sides; `equalKeys` still describes their key. */
function joinBoth(): void {
  const isVector = (traitsOf(equalKeys.tag) & traitVector) !== 0;
  if (isVector) return joinSlots();
  if (mine.counter === theirs.counter) {
    if (comparePayloads() < 0) return replaceMine();
    removals--;
    return holdMine();
  }
  const mineSeen = heads.right.has(theirs.actor, mine.counter);
  const theirsSeen = heads.left.has(mine.actor, theirs.counter);
  if (mineSeen && theirsSeen) return dropMine();
  if (mineSeen) removals--;
  if (mineSeen || (!theirsSeen && mine.counter < theirs.counter)) replaceMine();
  else holdMine();
}

/** The later birth wins, because it proves that the earlier slot was exhausted. */
function joinSlots(): void {
  if (mine.counter === theirs.counter) joinVectors();
  else if (mine.counter > theirs.counter) holdMine();
  else replaceMine();
}

function replaceMine(): void {
  flush(mine.start);
  runStart = mine.end;
  insertTheirs();
}

/** Equal dots have equal payloads; for forged ones the greater bytes are taken, so that any order agrees. */
function comparePayloads(): number {
  const a = mine.key + equalKeys.length;
  const b = theirs.key + equalKeys.length;
  const lengthA = mine.end - a;
  const lengthB = theirs.end - b;
  for (let at = 0; at < lengthA && at < lengthB; at++) {
    const difference = (mine.bytes[a + at] ?? 0) - (theirs.bytes[b + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

/** Slots of one birth: each number is the greater of both. */
function joinVectors(): void {
  const keyLength = equalKeys.length;
  let a = mine.key + keyLength;
  let b = theirs.key + keyLength;
  let length = 0;
  let grew = false;
  while (a < mine.end || b < theirs.end) {
    const left = a < mine.end ? varintAt(mine.bytes, a, mine.end) : 0;
    if (a < mine.end) a = cursor.end;
    const right = b < theirs.end ? varintAt(theirs.bytes, b, theirs.end) : 0;
    if (b < theirs.end) b = cursor.end;
    if (right > left) grew = true;
    if (length === vector.length) growVector();
    vector[length++] = right > left ? right : left;
  }
  if (!grew) return holdMine();
  flush(mine.start);
  runStart = mine.end;
  writeSlot(keyLength, length);
}

function growVector(): void {
  const grown = new Float64Array(2 * vector.length);
  grown.set(vector);
  vector = grown;
}

/** The state's slot with the numbers in `vector`. */
function writeSlot(keyLength: number, length: number): void {
  varintAt(mine.bytes, mine.body, mine.end);
  const fixedStart = cursor.end;
  const fixedEnd = mine.key + keyLength;
  const index = heads.leftTo[mine.actor] ?? 0;
  let byteCount = varintLength(index) + fixedEnd - fixedStart;
  for (let at = 0; at < length; at++) byteCount += varintLength(vector[at] ?? 0);
  const start = pieces.scratchLength;
  pieces.reserveScratch(byteCount + 16);
  pieces.scratchVarint(byteCount);
  pieces.scratchVarint(index);
  pieces.scratchBytes(mine.bytes, fixedStart, fixedEnd);
  for (let at = 0; at < length; at++) pieces.scratchVarint(vector[at] ?? 0);
  pieces.add(fromScratch, start, pieces.scratchLength);
}

/** An entry under another index of its actor. */
function rewrite(entry: EntryCursor, index: number): void {
  varintAt(entry.bytes, entry.body, entry.end);
  const restStart = cursor.end;
  const byteCount = varintLength(index) + entry.end - restStart;
  const start = pieces.scratchLength;
  pieces.reserveScratch(byteCount + 16);
  pieces.scratchVarint(byteCount);
  pieces.scratchVarint(index);
  pieces.scratchBytes(entry.bytes, restStart, entry.end);
  pieces.add(fromScratch, start, pieces.scratchLength);
}

/** Puts the state's bytes up to `end` among the pieces. */
function flush(end: number): void {
  if (end <= runStart) return;
  pieces.add(fromState, runStart, end);
  runStart = end;
}

/** Throws where the key of an entry does not end within it. */
function checkKey(entry: EntryCursor): void {
  const { bytes, end } = entry;
  let at = entry.key;
  while (at < end && (bytes[at] ?? 0) < tagRegister) at++;
  const tag = bytes[at] ?? 0;
  const traits = tag === tagExtended ? (bytes[++at] ?? 0) : traitsOf(tag);
  if (at >= end) throw malformed('key');
  if ((traits & traitSub) === 0) return;
  const length = varintAt(bytes, at + 1, end);
  if (cursor.end + length > end) throw malformed('key');
}

/** Whether the key at `key` of some bytes and the one at `theirKey` of the delta are those of one register. */
function sameRegister(bytes: Uint8Array, key: number, theirKey: number): boolean {
  for (let at = 0; theirKey + at < theirs.bytes.length; at++) {
    const byte = bytes[key + at] ?? 0;
    if (byte !== theirs.bytes[theirKey + at]) return false;
    if (byte >= tagRegister) return byte === tagRegister;
  }
  return false;
}

function noteConflict(entry: EntryCursor): void {
  let end = entry.key;
  while (end < entry.end && (entry.bytes[end] ?? 0) < tagRegister) end++;
  const path = binaryOfBytes(entry.bytes, entry.key, end);
  if (conflicts.at(-1) !== path) conflicts = [...conflicts, path];
}

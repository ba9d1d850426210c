/**
 * The join of a state and a delta as one forward walk over two sorted byte sequences, for the records and deltas that
 * are merged all day: it gives exactly the bytes of `join.ts`, some twenty times sooner, or declines. It declines
 * whatever is out of the ordinary, malformed bytes among it, and decides nothing that the definition does not; only a
 * name of a field that is no text ends in `malformed` here as well. Nothing outside the given arrays is read. What it
 * skips of the state it does not look at.
 */
import { beginReading } from '../codec/byte-reader.ts';
import { binaryOfBytes } from '../codec/bytes.ts';
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
import { smallVarint, varintLength } from '../codec/varint.ts';
import { namesOfPath } from './entry.ts';
import {
  grows,
  joinHeads,
  leftCount,
  leftEnd,
  leftMax,
  leftRuns,
  leftStays,
  leftTo,
  mostActors,
  rightCount,
  rightEnd,
  rightHas,
  rightRuns,
  rightTo,
  sharedDots,
} from './head-union.ts';
import { change, dropUpTo, finishRewriting, insert, keepUpTo } from './rewriting.ts';

// A merge runs from its first line to its last without giving way, so all merges share their working memory.
/** The entry of the delta that comes next: its first byte, the first of its body and of its key, and the first after it. */
let theirStart = 0;
let theirBody = 0;
let theirKey = 0;
let theirEnd = 0;
/** Its dot, where its key ends, its tag, and whether it is a slot of a counter. */
let theirActor = 0;
let theirCounter = 0;
let keyEnd = 0;
let tag = 0;
let isSlot = false;
/** The entry of the state that goes with it, and begins where the walk stands in the state. */
let place = 0;
let myBody = 0;
let myEnd = 0;
let myActor = 0;
let myCounter = 0;
/** How much further on its key lies than the other's; both keys are equal. */
let apart = 0;

/** Whether the last join may have brought a register another value beside one that it had. */
export let broughtSiblings = false;

/** At least as many entries of the state as may still have to go. */
let removals = 0;
// The state is passed on instead: where it lies far away in memory, noting it waits for the engine's notes on its page.
let theirs: Uint8Array = new Uint8Array(0);

/** The join; the state itself where nothing changes, and `null` where the definition has to be asked. */
export function byteMerge(state: Uint8Array, delta: Uint8Array): Uint8Array | null {
  if (!joinHeads(state, delta)) return null;
  if (!grows) return state;
  theirs = delta;
  place = leftEnd;
  removals = sharedDots;
  broughtSiblings = false;
  return joinEntries(state, delta.length) ? finishRewriting() : null;
}

function joinEntries(mine: Uint8Array, last: number): boolean {
  theirEnd = rightEnd;
  keyEnd = 0;
  theirKey = 0;
  while (theirEnd < last) {
    if (!readTheirs()) return false;
    const order = passMine(mine, true);
    if (order === declined || (order === 0 && !joinBoth(mine))) return false;
    if (order > 0) addTheirs();
  }
  return passMine(mine, false) !== declined;
}

/** Moves on in the delta and checks what comes, because it may come from anywhere. */
function readTheirs(): boolean {
  const bytes = theirs;
  const key = theirKey;
  const actor = theirActor;
  const length = keyEnd - key;
  theirStart = theirEnd;
  const size = smallVarint(bytes, theirStart);
  theirBody = theirStart + varintLength(size);
  theirActor = bytes[theirBody] ?? mostActors;
  theirCounter = smallVarint(bytes, theirBody + 1);
  theirKey = theirBody + 1 + varintLength(theirCounter);
  theirEnd = theirBody + size;
  if (size <= 2 || theirEnd > bytes.length || theirActor >= rightCount) return false;
  if (!rightHas(rightRuns[theirActor] ?? 0, theirCounter) || !readKey()) return false;
  if (length <= 0) return true;
  let same = 0;
  while (same < length && bytes[key + same] === bytes[theirKey + same]) same++;
  // Of what several hold at one key, only slots are joined here.
  if (same === length) return isSlot && actor < theirActor;
  return (bytes[key + same] ?? 0) < (bytes[theirKey + same] ?? 0);
}

function readKey(): boolean {
  const bytes = theirs;
  const start = theirKey;
  let depth = 1;
  let isAscii = true;
  let end = start;
  let byte = bytes[end] ?? tagExtended;
  for (; byte < tagRegister; byte = bytes[++end] ?? tagExtended) {
    if (byte === pathSeparator) depth++;
    else if (byte >= 0x80) isAscii = false;
  }
  if (!isAscii) {
    const path = binaryOfBytes(bytes.subarray(start, end));
    // An error tells where the name begins, and not where some earlier reading came to.
    beginReading(path, start);
    namesOfPath(path);
  }
  tag = byte;
  // What newer versions write is left to the definition, and so is a field without a name.
  if (tag === tagExtended || (end === start && tag !== tagMark && tag !== tagDeletion)) return false;
  end++;
  const traits = traitsOf(tag);
  isSlot = (traits & traitVector) !== 0;
  if ((traits & traitSub) !== 0) {
    const length = smallVarint(bytes, end);
    if (length < 0) return false;
    end += varintLength(length) + length;
  }
  keyEnd = end;
  return depth <= deepestPath && end <= theirEnd;
}

/** What `passMine` answers where the definition has to be asked. */
const declined = -1;

/**
 * Passes what the state has before the delta's entry, or the rest of it, and lets go what the delta has seen and lacks.
 * Answers 0 where both have the entry at `place`; more where the delta's comes first; or `declined`. Most of a merge is
 * spent in this loop, so all that it has to know is in variables of its own.
 */
function passMine(bytes: Uint8Array, isMore: boolean): number {
  const other = theirs;
  const keyStart = theirKey;
  const theirIndex = rightTo[theirActor] ?? 0;
  const firstByte = other[keyStart] ?? 0;
  const lastOfKey = keyEnd;
  const actorCount = leftCount;
  const last = bytes.length;
  let start = place;
  while (start < last) {
    if (!isMore && leftStays && removals === 0) break;
    const size = smallVarint(bytes, start);
    const body = start + varintLength(size);
    const actor = bytes[body] ?? mostActors;
    const counter = smallVarint(bytes, body + 1);
    const end = body + size;
    const key = body + 1 + varintLength(counter);
    if (key >= end || end > last || actor >= actorCount || counter <= 0) return declined;
    const isSeen = removals > 0 && rightHas(leftRuns[actor] ?? 0, counter);
    // Most are told apart by their first byte.
    if (isMore && (bytes[key] ?? 0) >= firstByte) {
      const further = key - keyStart;
      let at = keyStart;
      while (at < lastOfKey && bytes[at + further] === other[at]) at++;
      const isSameKey = at === lastOfKey;
      if (at + further >= end && !(isSameKey && at + further === end)) return declined;
      let order = isSameKey
        ? (leftTo[actor] ?? 0) - theirIndex
        : (bytes[at + further] ?? 0) - (other[at] ?? 0);
      if (isSameKey && !isSlot) {
        if (order === 0) order = counter - theirCounter;
        // The delta holds nothing else at this key, so what it has seen goes, wherever it lies.
        if (order !== 0 && isSeen) order = -1;
        else if (order !== 0 && tag === tagRegister) broughtSiblings = true;
      }
      if (order >= 0) {
        place = start;
        myBody = body;
        myEnd = end;
        myActor = actor;
        myCounter = counter;
        apart = further;
        return order;
      }
    }
    if (isSeen) {
      removals--;
      keepUpTo(start);
      dropUpTo(end);
    } else if (!leftStays) holdMine(actor, body, end);
    start = end;
  }
  place = start;
  return 1;
}

/** Lets an entry of the state stay, under the index that its actor has in the union. */
function holdMine(actor: number, body: number, end: number): void {
  keepUpTo(end);
  change(end - body, leftTo[actor] ?? 0);
}

/** An entry of the delta that the state lacks, or has seen go: it has seen a contiguous part of every actor. */
function addTheirs(): void {
  if (theirCounter <= (leftMax[theirActor] ?? 0)) return;
  keepUpTo(place);
  insertTheirs();
}

function insertTheirs(): void {
  insert(theirs, theirStart, theirEnd);
  change(theirEnd - theirBody, rightTo[theirActor] ?? 0);
}

/** One entry that is on both sides, or one slot, of which the later birth wins. */
function joinBoth(mine: Uint8Array): boolean {
  let isTheirs = myCounter < theirCounter;
  if (myCounter === theirCounter && !hasSamePayload(mine)) {
    if (!isSlot || !hasGrown(mine)) return false;
    isTheirs = true;
  }
  if (!isSlot) removals--;
  if (isTheirs) {
    keepUpTo(place);
    dropUpTo(myEnd);
    insertTheirs();
  } else if (!leftStays) holdMine(myActor, myBody, myEnd);
  place = myEnd;
  return true;
}

/** Of one birth each number is the greater of both. `false` where one of the state's is, or one is in no short form. */
function hasGrown(mine: Uint8Array): boolean {
  let a = keyEnd + apart;
  let their = 0;
  for (let b = keyEnd; b < theirEnd; b += varintLength(their)) {
    const my = a < myEnd ? smallVarint(mine, a) : 0;
    their = smallVarint(theirs, b);
    if (my < 0 || their < my || b + varintLength(their) > theirEnd) return false;
    a += varintLength(my);
  }
  return a >= myEnd && their > 0;
}

/** One dot has one payload; where somebody forged another, the definition decides. */
function hasSamePayload(mine: Uint8Array): boolean {
  let at = keyEnd;
  while (at < theirEnd && mine[at + apart] === theirs[at]) at++;
  return at === theirEnd && at + apart === myEnd;
}

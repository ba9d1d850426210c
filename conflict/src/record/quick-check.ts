/**
 * The full check as one forward walk over the bytes, for the records and deltas that arrive all day: registers with
 * single values, marks and deletions under names and actors in ASCII. It finds them valid or declines, and never says
 * what is wrong: whatever is out of the ordinary, malformed bytes among it, is left to `validate.ts`, which is the
 * definition. Nothing outside the given bytes is read and nothing is allocated, and the work for each entry is bounded.
 */
import {
  formatMajor,
  formatMinor,
  longestActorBytes,
  longestNameBytes,
  tagDeletion,
  tagMark,
  tagRegister,
} from '../codec/format.ts';
import {
  headDouble,
  headInteger,
  headNegative,
  headText,
  headTrue,
  isShort,
  leastNumbers,
  smallHeads,
} from '../codec/value.ts';
import { smallVarint, varintLength } from '../codec/varint.ts';

/** What `quickCheck` answers where the definition has to be asked. */
export const declined = -1;

/** Each entry is compared with those before it, and its dot with the runs of its actor. */
const mostEntries = 24;
const mostActors = 8;
const mostRuns = 8;

const version = (formatMajor << 4) | formatMinor;
const stampBytes = 6;
const longStampBytes = 9;
const longStampMark = 0xff;
const double = new DataView(new ArrayBuffer(8));
/** Heads that have an integer or the length of a text within themselves, and from where on another number follows. */
const [firstInteger = 0, , firstText = 0, firstArray = 0] = smallHeads;
const [leastInteger = 0, , leastText = 0] = leastNumbers;

// A check runs from its first line to its last without giving way, so all of them share their working memory.
let source: Uint8Array = new Uint8Array(0);
let at = 0;
/** For each actor the counter up to which all was seen, where its runs begin, and how many there are. */
const maxOf = new Float64Array(mostActors);
const runsAt = new Uint32Array(mostActors);
const runsOf = new Uint32Array(mostActors);
/** The dots of the entries so far. */
const actorOf = new Uint32Array(mostEntries);
const counterOf = new Uint32Array(mostEntries);

/** Milliseconds of the latest stamp of valid bytes that hold an entry, or `declined`. */
export function quickCheck(bytes: Uint8Array): number {
  source = bytes;
  at = 1;
  if (bytes[0] !== version) return declined;
  const actorCount = number();
  if (actorCount < 1 || actorCount > mostActors) return declined;
  for (let index = 0, start = 0; index < actorCount; index++) {
    const before = start;
    start = at;
    if (!passActor(before) || !passRanges(index)) return declined;
  }
  return latestOf(actorCount);
}

function latestOf(actorCount: number): number {
  let latest = declined;
  let keyStart = 0;
  let keyEnd = 0;
  for (let count = 0; at < source.length; count++) {
    const end = number() + at;
    const actor = number();
    const counter = number();
    if (count === mostEntries || end > source.length || actor < 0 || actor >= actorCount) return declined;
    if (!isSeen(actor, counter) || !isFresh(count, actor, counter)) return declined;
    const start = at;
    if (!passKey()) return declined;
    const order = count === 0 ? 1 : compareKeys(start, keyStart, keyEnd);
    if (order < 0 || (order === 0 && !isLater(count))) return declined;
    keyStart = start;
    keyEnd = at;
    const ms = passPayload(source[at - 1] ?? 0);
    if (ms < 0 || at !== end) return declined;
    if (ms > latest) latest = ms;
  }
  return latest;
}

/** A number below 2^28; -1 where there is none, which no caller takes. */
function number(): number {
  const value = smallVarint(source, at);
  at += varintLength(value);
  return value;
}

/** A name in ASCII, after the one that begins at `before`, if that is not 0. */
function passActor(before: number): boolean {
  const start = at;
  const length = source[at++] ?? 0;
  const end = at + length;
  if (length < 1 || length > longestActorBytes || end > source.length) return false;
  for (; at < end; at++) if ((source[at] ?? 0x80) >= 0x80) return false;
  return before === 0 || isAfter(start, before);
}

/** Whether the sized bytes at `a` come after those at `b`. */
function isAfter(a: number, b: number): boolean {
  const length = source[a] ?? 0;
  const other = source[b] ?? 0;
  for (let index = 1; index <= length && index <= other; index++) {
    const difference = (source[a + index] ?? 0) - (source[b + index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return length > other;
}

function passRanges(actor: number): boolean {
  const max = number();
  const runs = number();
  maxOf[actor] = max;
  runsAt[actor] = at;
  runsOf[actor] = runs;
  if (max < 0 || runs < 0 || runs > mostRuns || max + runs === 0) return false;
  for (let left = 2 * runs; left > 0; left--) if (number() < 0) return false;
  return at <= source.length;
}

function isSeen(actor: number, counter: number): boolean {
  let last = maxOf[actor] ?? 0;
  if (counter <= last) return counter > 0;
  const here = at;
  at = runsAt[actor] ?? 0;
  let isWithin = false;
  for (let left = runsOf[actor] ?? 0; left > 0 && !isWithin; left--) {
    const low = last + 2 + number();
    last = low + number();
    isWithin = counter >= low && counter <= last;
  }
  at = here;
  return isWithin;
}

/** Whether no entry before the one at `count` has its dot. */
function isFresh(count: number, actor: number, counter: number): boolean {
  for (let index = 0; index < count; index++)
    if (actorOf[index] === actor && counterOf[index] === counter) return false;
  actorOf[count] = actor;
  counterOf[count] = counter;
  return true;
}

/** Of two entries at one key, by actor and then counter. */
function isLater(count: number): boolean {
  const actors = (actorOf[count] ?? 0) - (actorOf[count - 1] ?? 0);
  return actors > 0 || (actors === 0 && (counterOf[count] ?? 0) > (counterOf[count - 1] ?? 0));
}

/** The name of a field and its tag, or that of the record alone. */
function passKey(): boolean {
  const start = at;
  while ((source[at] ?? 0x80) < 0x80) at++;
  const length = at - start;
  const tag = source[at++];
  if (tag === tagMark || tag === tagDeletion) return length === 0;
  return tag === tagRegister && length > 0 && length <= longestNameBytes;
}

/** As the bytes of the key that ends at `at` and begins at `start` compare with those of the key before. */
function compareKeys(start: number, before: number, beforeEnd: number): number {
  const length = Math.min(at - start, beforeEnd - before);
  for (let index = 0; index < length; index++) {
    const difference = (source[start + index] ?? 0) - (source[before + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return at - start - (beforeEnd - before);
}

/** The milliseconds of its stamp, or `declined`. */
function passPayload(tag: number): number {
  let ms = 0;
  for (let index = 0; index < stampBytes; index++) ms = ms * 256 + (source[at + index] ?? 0);
  const isLong = source[at + stampBytes] === longStampMark;
  if (isLong && (source[at + 7] ?? 0) + (source[at + 8] ?? 0) === 0) return declined;
  at += isLong ? longStampBytes : stampBytes;
  if (at > source.length) return declined;
  return tag !== tagRegister || passValue() ? ms : declined;
}

function passValue(): boolean {
  const head = source[at++] ?? firstArray;
  if (head <= headTrue || (head >= firstInteger && head < firstText)) return true;
  if (head >= firstText && head < firstArray) return passText(head - firstText);
  if (head === headDouble) return passDouble();
  const follows = number();
  if (head === headInteger) return follows >= leastInteger;
  if (head === headNegative) return follows >= 1;
  return head === headText && follows >= leastText && passText(follows);
}

function passText(length: number): boolean {
  const end = at + length;
  while (at < end && (source[at] ?? 0x80) < 0x80) at++;
  return at === end;
}

function passDouble(): boolean {
  for (let index = 0; index < 8; index++) double.setUint8(index, source[at++] ?? 0);
  const value = double.getFloat64(0);
  return Number.isFinite(value) && !isShort(value);
}

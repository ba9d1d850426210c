/**
 * The full check of bytes that came from elsewhere: not only what a merge needs in order to stay in bounds, but that
 * every entry can be read and no dot is used twice. What passes here merges, reads and encodes without an error, but
 * for texts: only their engine can tell what a chunk holds. Tags of a newer minor version are taken as they are,
 * because only newer code can tell what they hold; those that are known never change.
 */
import { beginReading, readByte, readNumber, remaining } from '../codec/byte-reader.ts';
import {
  formatMinor,
  longestActorBytes,
  longestNameBytes,
  pathSeparatorText,
  tagDeletion,
  tagElement,
  tagExtended,
  tagMark,
  tagMoved,
  tagRegister,
  tagText,
  tagTextClient,
  traitsOf,
  traitStamped,
  traitVector,
} from '../codec/format.ts';
import { textOf } from '../codec/utf8.ts';
import { vectorOf } from '../codec/vector.ts';
import { checkBytes } from '../codec/bytes.ts';
import { ConflictError } from '../errors.ts';
import { refusal } from '../refusal.ts';
import { elementOf } from '../types/set.ts';
import { siblingOf } from '../types/register.ts';
import { decode } from './decoded-record.ts';
import { type Entry, highestStamp, stampAt, stampOf } from './entry.ts';
import { declined, quickCheck } from './quick-check.ts';

/**
 * Milliseconds since 1970 of the latest stamp, as `highestStamp` gives it. Throws `malformed` or `newer-format`; empty
 * bytes are valid.
 */
export function validate(bytes: Uint8Array): number | null {
  checkBytes(bytes, 'state');
  const quick = quickCheck(bytes);
  return quick === declined ? fullCheck(bytes) : quick;
}

/** The same, taken apart: the definition. */
export function fullCheck(bytes: Uint8Array): number | null {
  const { minor, entries } = decode(bytes);
  for (const entry of entries) {
    const traits = traitsOf(entry.tag);
    checkName(entry);
    if ((traits & traitVector) !== 0) checkVector(entry);
    else checkNewer(minor, entry);
  }
  checkDots(entries);
  return highestStamp(entries)?.ms ?? null;
}

function checkDots(entries: readonly Entry[]): void {
  const dots = new Map<string, Set<number>>();
  for (const { actor, counter } of entries) {
    const counters = dots.get(actor) ?? new Set();
    if (counters.has(counter)) throw malformed('dot used twice');
    dots.set(actor, counters.add(counter));
  }
}

function checkName({ path, tag }: Entry): void {
  const isOfRecord = tag === tagMark || tag === tagDeletion;
  if (isOfRecord && path !== '') throw malformed('path');
  if (path.startsWith(pathSeparatorText)) throw malformed('path');
  // Most fields stand at the top, and most texts need not be taken apart.
  if (path.length <= longestNameBytes) return;
  if (path.split(pathSeparatorText).some((name) => name.length > longestNameBytes)) throw malformed('path');
}

/** A vector has no place for a stamp in front. */
function checkVector({ tag, sub, payload }: Entry): void {
  if ((traitsOf(tag) & traitStamped) !== 0) throw malformed('traits');
  const { length } = vectorOf(payload);
  if (tag > tagExtended) return;
  if (length > (tag === tagMoved ? 2 : 4)) throw malformed('vector');
  if (tag === tagMoved) checkActor(sub);
}

function checkActor(actor: string): void {
  if (actor === '' || actor.length > longestActorBytes) throw malformed('actor');
  textOf(actor);
}

/** A newer minor version may hold types of values that are not known here; all else of known tags stays as it is. */
function checkNewer(minor: number, entry: Entry): void {
  try {
    checkPayload(entry);
  } catch (reason) {
    const isNewer = reason instanceof ConflictError && reason.code === 'newer-format';
    if (!isNewer || minor <= formatMinor) throw reason;
  }
}

/** Where a stamp stands never changes, because deletes of any version look at it. */
function checkPayload(entry: Entry): void {
  const { tag, payload } = entry;
  stampOf(entry);
  if (tag > tagExtended) return;
  if (tag === tagRegister) siblingOf(entry, false);
  else if (tag === tagElement) checkElement(entry);
  else if (tag === tagMark || tag === tagDeletion) checkStampOnly(payload, 0);
  else if (tag === tagText) checkChunk(entry);
  else if (tag === tagTextClient && payload.length > 0) throw malformed('text client');
}

/** A stamp and nothing after it. */
function checkStampOnly(payload: string, offset: number): void {
  stampAt(payload, offset);
  if (remaining() > 0) throw malformed('stamp');
}

function checkElement({ sub, payload }: Entry): void {
  if (Object.is(elementOf(sub), -0)) throw malformed('element');
  if (payload.length === 0) return;
  const kind = payload.charCodeAt(0);
  if (kind > 1 || (kind === 0 && payload.length === 1)) throw malformed('element');
  if (payload.length > 1) checkStampOnly(payload, 1);
}

function checkChunk({ sub, counter, payload }: Entry): void {
  beginReading(sub);
  if (readNumber() !== counter || remaining() > 0) throw malformed('text');
  beginReading(payload);
  if (readByte() > 1) throw malformed('text');
  stampAt(payload, 1);
  readByte();
}

/** Each rule that is checked only here has a name. */
function malformed(rule: string): ConflictError {
  return refusal('malformed', { rule });
}

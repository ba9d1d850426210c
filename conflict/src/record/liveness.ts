/**
 * Which entries of a record count. A record exists while its mark or any field is live; where it holds a deletion
 * (only collections in which the last writer wins write one), only while its mark is later than that, and then a
 * stamped entry counts only where it is later too. Nothing is removed here: what does not count stays in the state
 * for those who ask why. No schema is needed, so every replica gives the same answer.
 */
import { tagDeletion, tagElement, tagMark, tagRights, tagText, tagTextClient } from '../codec/format.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { compareByStamp, type Entry, isOutdated, isSlot, latestDeletion, stampOffset } from './entry.ts';

/** First byte of the payload of a removed element, and of what is left of a cleared text. */
export const kindRemoved = '\u0001';
export const kindRemnant = '\u0001';

export function isRemoval(entry: Entry): boolean {
  return entry.tag === tagElement && entry.payload[0] === kindRemoved;
}

/** What is left of a cleared text. It shows nothing, and never lets a text be shown that the deletion hides. */
export function isRemnant(entry: Entry): boolean {
  return entry.tag === tagText && entry.payload[0] === kindRemnant;
}

/** A chunk that was not cleared. */
export function isWritten(entry: Entry): boolean {
  return entry.tag === tagText && !isRemnant(entry);
}

/** Whether a deletion hides the entry: it has a stamp, and not a later one. */
export function isHidden(entry: Entry, deletion: Entry | null): boolean {
  if (deletion === null || stampOffset(entry.tag, entry.payload) === -1) return false;
  return compareByStamp(entry, deletion) < 0;
}

/** What is behind what the record shows: live entries, and spendings that have nothing granted beside them. */
export function shownEntries(all: readonly Entry[]): readonly Entry[] {
  const live = liveEntries(all);
  const spendings = all.filter((entry) => entry.tag === tagRights && !isExhausted(vectorOf(entry.payload)));
  if (live.length === 0 || spendings.length === 0) return live;
  const shown = new Set([...live, ...spendings]);
  return all.filter((entry) => shown.has(entry));
}

/** The entries that make the record as it is, given in the order of the bytes; none where it does not exist. */
export function liveEntries(all: readonly Entry[]): readonly Entry[] {
  const deletion = latestDeletion(currentOf(all));
  const live = countingEntries(all, deletion);
  return deletion === null || live.some(({ tag }) => tag === tagMark) ? live : [];
}

/** The entries that count where the record exists; of one place as well as of all. */
export function countingEntries(all: readonly Entry[], deletion: Entry | null): readonly Entry[] {
  const entries = currentOf(all);
  const shadowed = shadowedKeys(entries, deletion);
  return entries.filter((entry) => isLive(entry, deletion) && !shadowed.has(entry.key));
}

/** Of each actor the latest at a key. */
function currentOf(all: readonly Entry[]): readonly Entry[] {
  return all.filter((entry, index) => !isOutdated(entry, all[index + 1]));
}

/** Keys of elements that a removal beats, the removal among them, and of texts written wholly before the deletion. */
function shadowedKeys(entries: readonly Entry[], deletion: Entry | null): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const entry of entries) if (isRemoval(entry) && !isHidden(entry, deletion)) keys.add(entry.key);
  if (deletion === null) return keys;
  const textsShown = new Set<string>();
  for (const entry of entries) if (isWritten(entry) && !isHidden(entry, deletion)) textsShown.add(entry.path);
  for (const entry of entries) if (entry.tag === tagText && !textsShown.has(entry.path)) keys.add(entry.key);
  return keys;
}

function isLive(entry: Entry, deletion: Entry | null): boolean {
  const { tag, payload } = entry;
  if (tag === tagDeletion || tag === tagTextClient) return false;
  if (tag === tagRights) return hasRights(vectorOf(payload));
  if (isSlot(entry)) return !isExhausted(vectorOf(payload));
  if (tag === tagText) return isWritten(entry);
  return !isHidden(entry, deletion);
}

/** Rights are what keeps a bounded counter; a spending alone has nothing to show. */
function hasRights([granted = 0, grantedBefore = 0]: readonly number[]): boolean {
  return granted > grantedBefore;
}

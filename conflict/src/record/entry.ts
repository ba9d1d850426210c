/**
 * An entry is one thing that a record holds under one dot: a sibling of a register, an element of a set, an actor's
 * slot of a counter, the mark. Its key is the path, the tag and, for some tags, a sub-key, as a binary string whose
 * order is the order of the bytes. An actor has at most one slot at a key; of all else it has at most one entry that
 * counts, the latest, and earlier ones only while nobody who saw them go has been heard. This page knows how entries are
 * named, ordered and stamped; it knows nothing of what they mean to a type.
 */
import { beginReading, checkForm, readByte, skip } from '../codec/byte-reader.ts';
import type { Stamp } from '../clock/stamp.ts';
import {
  pathSeparatorText,
  tagDeletion,
  tagElement,
  tagText,
  traitsOf,
  traitStamped,
  traitSub,
  traitVector,
} from '../codec/format.ts';
import { textOf } from '../codec/utf8.ts';
import { sized } from '../codec/varint.ts';

export interface Entry {
  /** Path, tag and sub-key: what is compared. */
  readonly key: string;
  /** The names as a binary string, joined by the path separator; empty for the mark and the deletion. */
  readonly path: string;
  readonly tag: number;
  /** Binary string; empty where the tag has none. */
  readonly sub: string;
  readonly actor: string;
  readonly counter: number;
  /** Binary string. */
  readonly payload: string;
}

/** What identifies an entry besides its path and its actor. */
export interface EntryName {
  readonly tag: number;
  /** Binary string; empty where the tag has none. */
  readonly sub: string;
}

/** The key of what an edit writes, which is never of an extended tag. */
export function keyOf(path: string, { tag, sub }: EntryName): string {
  const rest = (traitsOf(tag) & traitSub) === 0 ? '' : sized(sub);
  return path + String.fromCharCode(tag) + rest;
}

/** Order of binary strings, which is that of their bytes. */
export function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Order of entries in the bytes. Actors are binary strings too. */
export function compareEntries(a: Entry, b: Entry): number {
  return order(a.key, b.key) || order(a.actor, b.actor) || (isSlot(a) ? 0 : a.counter - b.counter);
}

/** Whether the entry is a vector of growing numbers, of which an actor has one at a key. */
export function isSlot({ tag }: Entry): boolean {
  return (traitsOf(tag) & traitVector) !== 0;
}

/**
 * What identifies an entry: its dot and its key, and of a slot its actor, because its numbers grow under any dot. A key
 * ends itself.
 */
export function identityOf(entry: Entry): string {
  return `${isSlot(entry) ? '' : entry.counter} ${entry.key}${entry.actor}`;
}

/** Whether the entry that follows is a later one of the same actor at the same key. */
export function isOutdated(entry: Entry, next: Entry | undefined): boolean {
  return next !== undefined && next.key === entry.key && next.actor === entry.actor && !isSlot(entry);
}

export function namesOfPath(path: string): readonly string[] {
  if (path === '') return [];
  return path.includes(pathSeparatorText) ? path.split(pathSeparatorText).map(textOf) : [textOf(path)];
}

/** A stamp has six bytes of milliseconds and, where the logical part is not 0, 0xff and two more. */
const shortStampBytes = 6;
const longStampBytes = 9;
const longStampMark = '\u00ff';

export function stampText({ ms, logical }: Stamp): string {
  let binary = logical === 0 ? '' : longStampMark + String.fromCharCode(logical >> 8, logical & 0xff);
  let rest = ms;
  for (let index = 0; index < shortStampBytes; index++) {
    binary = String.fromCharCode(rest % 256) + binary;
    rest = Math.floor(rest / 256);
  }
  return binary;
}

export function stampLength(payload: string, offset: number): number {
  return payload[offset + shortStampBytes] === longStampMark ? longStampBytes : shortStampBytes;
}

/** Leaves the reading behind the stamp. */
export function stampAt(payload: string, offset: number): Stamp {
  beginReading(payload, offset);
  let ms = 0;
  for (let index = 0; index < shortStampBytes; index++) ms = ms * 256 + readByte();
  if (stampLength(payload, offset) === shortStampBytes) return { ms, logical: 0 };
  skip(1);
  const logical = readByte() * 256 + readByte();
  checkForm(logical > 0);
  return { ms, logical };
}

/** Where the stamp of an entry begins in its payload; -1 where it has none. */
export function stampOffset(tag: number, payload: string): number {
  if ((traitsOf(tag) & traitStamped) !== 0) return 0;
  return tag === tagText || (tag === tagElement && payload.length > 1) ? 1 : -1;
}

export function stampOf(entry: Entry): Stamp | null {
  const offset = stampOffset(entry.tag, entry.payload);
  return offset === -1 ? null : stampAt(entry.payload, offset);
}

/** The bytes of a stamp as a binary string, in which later ones are greater; empty where there is none. */
function stampBytes({ tag, payload }: Entry): string {
  const offset = stampOffset(tag, payload);
  return offset === -1 ? '' : payload.slice(offset, offset + stampLength(payload, offset));
}

/** Later stamp, then greater actor, then greater counter: a total order of stamped entries. */
export function compareByStamp(a: Entry, b: Entry): number {
  return order(stampBytes(a), stampBytes(b)) || order(a.actor, b.actor) || a.counter - b.counter;
}

function latestOf(entries: readonly Entry[]): Entry | null {
  let latest: Entry | null = null;
  for (const entry of entries) if (latest === null || compareByStamp(entry, latest) > 0) latest = entry;
  return latest;
}

export function highestStamp(entries: readonly Entry[]): Stamp | null {
  const latest = latestOf(entries);
  return latest === null ? null : stampOf(latest);
}

/** The deletion with the latest stamp, which hides every stamped entry below it. */
export function latestDeletion(entries: readonly Entry[]): Entry | null {
  return latestOf(entries.filter(({ tag }) => tag === tagDeletion));
}

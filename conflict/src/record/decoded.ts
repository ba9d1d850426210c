/**
 * A state or delta as objects, for what is not hot: editing, reading, inspecting. `encode` of what `decode` gave
 * is the same bytes. A name that is not UTF-8 is malformed here, though merge carries it.
 */
import type { Seen } from '../causal/seen.ts';
import { seenOf } from '../causal/seen.ts';
import type { Stamp } from '../clock/stamp.ts';
import { compareStamps, readStamp, writeStamp } from '../clock/stamp.ts';
import { compareBytes } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { decodeUtf8, encodeUtf8 } from '../codec/utf8.ts';
import { EntryCursor } from './entry-cursor.ts';
import { formatVersion, readHeader, writeHeader } from './header.ts';

export interface Dot {
  readonly actor: string;
  readonly counter: number;
}

export interface Entry {
  /** Empty for what concerns the record itself. */
  readonly path: string;
  readonly tag: number;
  readonly dot: Dot;
  readonly stamp: Stamp | null;
  /** A view into the bytes it was read from. */
  readonly payload: Uint8Array;
}

export interface Decoded {
  readonly context: ReadonlyMap<string, Seen>;
  readonly entries: readonly Entry[];
}

export function decode(bytes: Uint8Array): Decoded {
  const header = readHeader(bytes);
  const names = header.actors.map((actor) => decodeUtf8(bytes, actor.start, actor.end));
  const context = new Map(header.actors.map((actor, index): [string, Seen] => [names[index] ?? '', actor]));
  const cursor = new EntryCursor(header);
  const entries: Entry[] = [];
  while (cursor.next()) entries.push(entryAt(cursor, names[cursor.actor] ?? ''));
  return { context, entries };
}

function entryAt(cursor: EntryCursor, actor: string): Entry {
  return {
    path: decodeUtf8(cursor.bytes, cursor.pathStart, cursor.pathEnd),
    tag: cursor.tag,
    dot: { actor, counter: cursor.counter },
    stamp: cursor.stamped ? readStamp(cursor.bytes, cursor.stampAt) : null,
    payload: cursor.bytes.subarray(cursor.payloadStart, cursor.end),
  };
}

/** Context as unordered counters for each actor, with a contiguous maximum where one is claimed. */
export interface DeltaContext {
  readonly claimed: ReadonlyMap<string, number>;
  readonly dots: readonly Dot[];
}

export function encodeDelta(context: DeltaContext, entries: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter(256);
  const actors = actorsOf(context);
  writeHeader(writer, formatVersion, actors);
  const indexOf = new Map(actors.map((actor, index) => [actor.name, index]));
  for (const { entry, path } of sorted(entries, indexOf)) {
    writer.block(path);
    writer.byte(entry.tag);
    writer.integer(indexOf.get(entry.dot.actor) ?? 0);
    writer.integer(entry.dot.counter);
    if (entry.stamp !== null) writeStamp(writer, entry.stamp);
    writer.block(entry.payload);
  }
  return writer.finish();
}

function actorsOf({ claimed, dots }: DeltaContext) {
  const names = new Set([...claimed.keys(), ...dots.map((dot) => dot.actor)]);
  return [...names]
    .map((name) => {
      const bytes = encodeUtf8(name);
      const counters = dots.filter((dot) => dot.actor === name).map((dot) => dot.counter);
      const seen = seenOf(
        claimed.get(name) ?? 0,
        counters.toSorted((left, right) => left - right),
      );
      return { name, bytes, start: 0, end: bytes.length, max: seen.max, beyond: seen.beyond };
    })
    .toSorted((left, right) => compareBytes(left.bytes, right.bytes));
}

function sorted(entries: readonly Entry[], indexOf: ReadonlyMap<string, number>) {
  return entries
    .map((entry) => ({ entry, path: encodeUtf8(entry.path), actor: indexOf.get(entry.dot.actor) ?? 0 }))
    .toSorted(
      (left, right) =>
        compareBytes(left.path, right.path) ||
        left.entry.tag - right.entry.tag ||
        left.actor - right.actor ||
        left.entry.dot.counter - right.entry.dot.counter,
    );
}

/** Order of stamped entries: stamp, then actor by bytes, then counter. */
export function compareEntries(left: Entry, right: Entry): number {
  return (
    (left.stamp === null || right.stamp === null ? 0 : compareStamps(left.stamp, right.stamp)) ||
    (left.dot.actor === right.dot.actor
      ? 0
      : compareBytes(encodeUtf8(left.dot.actor), encodeUtf8(right.dot.actor))) ||
    left.dot.counter - right.dot.counter
  );
}

export function highestStampOf(entries: readonly Entry[]): Stamp | null {
  return entries.reduce<Stamp | null>(
    (highest, { stamp }) =>
      stamp !== null && (highest === null || compareStamps(stamp, highest) > 0) ? stamp : highest,
    null,
  );
}

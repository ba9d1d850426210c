/**
 * A state or a delta taken apart, and put together again: `encode(decode(bytes))` gives the same bytes. Decoding
 * checks everything that the format fixes (order, shortest forms, bounds, dots within the context), so what is decoded
 * is canonical. Merging does not come through here; editing, reading and explaining do. Actors are binary strings in
 * this form.
 */
import { hasSeen, type Ranges, rangesOf, type Seen, seenOfRanges } from '../causal/seen.ts';
import { check, checkForm, malformed } from '../errors.ts';
import { checkBytes } from '../codec/bytes.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { type ByteWriter, varintLength, written } from '../codec/byte-writer.ts';
import {
  deepestPath,
  formatMajor,
  formatMinor,
  longestActorBytes,
  pathSeparator,
  tagDeletion,
  tagExtended,
  tagMark,
  tagRegister,
  traitsOf,
  traitSub,
} from '../codec/format.ts';
import { binaryOfBytes, textOf } from '../codec/utf8.ts';
import { compareEntries, type Entry, namesOfPath } from './entry.ts';

export interface DecodedRecord {
  readonly minor: number;
  readonly context: Seen;
  /** Sorted by key, then actor. */
  readonly entries: readonly Entry[];
}

/** Throws `malformed` or `newer-format`; empty bytes are the record that never was. */
export function decode(bytes: Uint8Array): DecodedRecord {
  checkBytes(bytes, 'state');
  const context = new Map<string, Ranges>();
  const entries: Entry[] = [];
  if (bytes.length === 0) return { minor: formatMinor, context, entries };
  const reader = new ByteReader(bytes);
  const minor = readVersion(reader);
  const actors = readActors(reader, context);
  while (reader.remaining > 0) {
    const entry = readEntry(reader, actors);
    const last = entries.at(-1);
    checkForm(last === undefined || compareEntries(last, entry) < 0, 'entries out of order');
    checkForm(hasSeen(context, entry), 'dot not in context');
    entries.push(entry);
  }
  return { minor, context, entries };
}

function readVersion(reader: ByteReader): number {
  const version = reader.byte();
  const major = version >> 4;
  checkForm(major >= formatMajor, 'version');
  const details = { rule: 'format-version', limit: formatMajor, value: major };
  check(major === formatMajor, 'newer-format', details);
  return version & 0x0f;
}

function readActors(reader: ByteReader, context: Map<string, Ranges>): readonly string[] {
  const count = reader.varint();
  checkForm(count > 0 && count <= reader.remaining, 'count');
  const actors: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.byte();
    checkForm(length > 0 && length <= longestActorBytes, 'actor');
    const actor = reader.binary(length);
    textOf(actor);
    checkForm(actor > (actors.at(-1) ?? ''), 'actors out of order');
    actors.push(actor);
    context.set(actor, readRanges(reader));
  }
  return actors;
}

function readRanges(reader: ByteReader): Ranges {
  const max = reader.varint();
  const runCount = reader.varint();
  checkForm(runCount <= reader.remaining, 'count');
  const ranges = max > 0 ? [1, max] : [];
  let last = max;
  for (let index = 0; index < runCount; index++) {
    const low = last + 2 + reader.varint();
    last = low + reader.varint();
    checkForm(last <= Number.MAX_SAFE_INTEGER, 'counter');
    ranges.push(low, last);
  }
  checkForm(last > 0, 'actor without a dot');
  return ranges;
}

function readEntry(reader: ByteReader, actors: readonly string[]): Entry {
  const length = reader.varint();
  const start = reader.skip(length);
  const inner = new ByteReader(reader.bytes, start, start + length);
  const actor = actors[inner.varint()];
  if (actor === undefined) throw malformed('actor index');
  const counter = inner.varint();
  checkForm(counter > 0, 'counter');
  const keyStart = inner.offset;
  const isAscii = skipPath(inner);
  const pathLength = inner.offset - keyStart;
  const tag = readTag(inner);
  const mayLackPath = tag === tagMark || tag === tagDeletion || tag > tagExtended;
  checkForm(pathLength > 0 || mayLackPath, 'path');
  const subLength = (traitsOf(tag) & traitSub) === 0 ? 0 : inner.varint();
  inner.skip(subLength);
  const key = binaryOfBytes(inner.bytes, keyStart, inner.offset);
  const path = key.slice(0, pathLength);
  if (!isAscii) namesOfPath(path);
  const sub = key.slice(key.length - subLength);
  return { key, path, tag, sub, actor, counter, payload: inner.view(inner.remaining) };
}

/** Moves on to the tag; returns whether all names before it are ASCII, so that there is nothing to check in them. */
function skipPath(reader: ByteReader): boolean {
  let depth = 1;
  let isAscii = true;
  for (let byte = reader.peek(); byte >= 0 && byte < tagRegister; byte = reader.peek()) {
    if (byte === pathSeparator) depth++;
    else if (byte >= 0x80) isAscii = false;
    reader.offset++;
  }
  checkForm(depth <= deepestPath, 'path');
  return isAscii;
}

function readTag(reader: ByteReader): number {
  const tag = reader.byte();
  return tag === tagExtended ? tagExtended * 256 + reader.byte() : tag;
}

export function encode({ minor, context, entries }: DecodedRecord): Uint8Array {
  const actors = [...context.keys()].toSorted();
  if (actors.length === 0) return new Uint8Array(0);
  const indexOf = new Map(actors.map((actor, index) => [actor, index]));
  return written((writer) => {
    writer.byte((formatMajor << 4) | minor);
    writer.varint(actors.length);
    for (const actor of actors) {
      writer.byte(actor.length);
      writer.binary(actor);
      writeRanges(writer, rangesOf(context, actor));
    }
    for (const entry of entries.toSorted(compareEntries))
      writeEntry(writer, entry, indexOf.get(entry.actor) ?? 0);
  });
}

function writeRanges(writer: ByteWriter, ranges: Ranges): void {
  const { max, runs } = seenOfRanges(ranges);
  writer.varint(max);
  writer.varint(runs.length / 2);
  let last = max;
  for (const [index, bound] of runs.entries()) {
    writer.varint(bound - last - (index % 2 === 0 ? 2 : 0));
    last = bound;
  }
}

function writeEntry(writer: ByteWriter, entry: Entry, actorIndex: number): void {
  const { counter, key, payload } = entry;
  writer.varint(varintLength(actorIndex) + varintLength(counter) + key.length + payload.length);
  writer.varint(actorIndex);
  writer.varint(counter);
  writer.binary(key);
  writer.raw(payload);
}

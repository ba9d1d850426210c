/**
 * A state or a delta taken apart, and put together again: `encode(decode(bytes))` gives the same bytes. Decoding
 * checks everything that the format fixes (order, shortest forms, bounds, dots within the context), so what is decoded
 * is canonical. Merging does not come through here; editing, reading and explaining do. Actors are binary strings in
 * this form.
 */
import { CausalContext } from '../causal/causal-context.ts';
import { ConflictError, malformed } from '../errors.ts';
import { checkBytes } from '../codec/bytes.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter, varintLength } from '../codec/byte-writer.ts';
import {
  deepestPath,
  formatMajor,
  formatMinor,
  longestActorBytes,
  pathSeparator,
  pathSeparatorText,
  tagDeletion,
  tagExtended,
  tagMark,
  tagRegister,
  traitsOf,
  traitSub,
} from '../codec/format.ts';
import { binaryOfBytes, textOf } from '../codec/utf8.ts';
import { compareEntries, type Entry } from './entry.ts';

export interface DecodedRecord {
  readonly minor: number;
  readonly context: CausalContext;
  /** Sorted by key, then actor. */
  readonly entries: readonly Entry[];
}

/** Throws `malformed` or `newer-format`; empty bytes are the record that never was. */
export function decode(bytes: Uint8Array): DecodedRecord {
  checkBytes(bytes, 'state');
  if (bytes.length === 0) return { minor: formatMinor, context: new CausalContext(), entries: [] };
  const reader = new ByteReader(bytes);
  const minor = readVersion(reader);
  const context = new CausalContext();
  const actors = readActors(reader, context);
  const entries: Entry[] = [];
  while (reader.remaining > 0) {
    const entry = readEntry(reader, actors);
    const last = entries.at(-1);
    if (last !== undefined && compareEntries(last, entry) >= 0) throw malformed('entries out of order');
    if (!context.has(entry)) throw malformed('dot not in context');
    entries.push(entry);
  }
  return { minor, context, entries };
}

function readVersion(reader: ByteReader): number {
  const version = reader.byte();
  const major = version >> 4;
  if (major === formatMajor) return version & 0x0f;
  if (major < formatMajor) throw malformed('version');
  throw new ConflictError(
    'newer-format',
    `the bytes have format ${major}, this version knows ${formatMajor}`,
    {
      rule: 'format-version',
      limit: formatMajor,
      value: major,
    },
  );
}

function readActors(reader: ByteReader, context: CausalContext): readonly string[] {
  const count = reader.varint();
  if (count === 0 || count > reader.remaining) throw malformed('count');
  const actors: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.byte();
    if (length === 0 || length > longestActorBytes) throw malformed('actor');
    const actor = reader.binary(length);
    textOf(actor);
    const last = actors.at(-1);
    if (last !== undefined && actor <= last) throw malformed('actors out of order');
    actors.push(actor);
    readSeen(reader, context, actor);
  }
  return actors;
}

function readSeen(reader: ByteReader, context: CausalContext, actor: string): void {
  const max = reader.varint();
  const runCount = reader.varint();
  if (runCount > reader.remaining) throw malformed('count');
  const runs: number[] = [];
  let last = max;
  for (let index = 0; index < runCount; index++) {
    const low = last + 2 + reader.varint();
    last = low + reader.varint();
    if (last > Number.MAX_SAFE_INTEGER) throw malformed('counter');
    runs.push(low, last);
  }
  if (last === 0) throw malformed('actor without a dot');
  context.addSeen(actor, { max, runs });
}

function readEntry(reader: ByteReader, actors: readonly string[]): Entry {
  const length = reader.varint();
  const start = reader.skip(length);
  const inner = new ByteReader(reader.bytes, start, start + length);
  const actor = actors[inner.varint()];
  if (actor === undefined) throw malformed('actor index');
  const counter = inner.varint();
  if (counter === 0) throw malformed('counter');
  const keyStart = inner.offset;
  const isAscii = skipPath(inner);
  const pathLength = inner.offset - keyStart;
  const tag = readTag(inner);
  if (pathLength === 0 && tag !== tagMark && tag !== tagDeletion && tag < tagExtended)
    throw malformed('path');
  const subLength = (traitsOf(tag) & traitSub) === 0 ? 0 : inner.varint();
  inner.skip(subLength);
  const key = binaryOfBytes(inner.bytes, keyStart, inner.offset);
  const path = key.slice(0, pathLength);
  if (!isAscii) for (const name of path.split(pathSeparatorText)) textOf(name);
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
  if (depth > deepestPath) throw malformed('path');
  return isAscii;
}

function readTag(reader: ByteReader): number {
  const tag = reader.byte();
  return tag === tagExtended ? tagExtended * 256 + reader.byte() : tag;
}

const writer = new ByteWriter();

export function encode({ minor, context, entries }: DecodedRecord): Uint8Array {
  const actors = [...context.actors()].toSorted();
  if (actors.length === 0) return new Uint8Array(0);
  writer.reset();
  writer.byte((formatMajor << 4) | minor);
  writer.varint(actors.length);
  for (const actor of actors) writeActor(actor, context);
  const indexOf = new Map(actors.map((actor, index) => [actor, index]));
  for (const entry of entries.toSorted(compareEntries)) writeEntry(entry, indexOf.get(entry.actor) ?? 0);
  return writer.finish();
}

function writeActor(actor: string, context: CausalContext): void {
  const { max, runs } = context.seenOf(actor);
  writer.byte(actor.length);
  writer.binary(actor);
  writer.varint(max);
  writer.varint(runs.length / 2);
  let last = max;
  for (let index = 0; index < runs.length; index += 2) {
    const low = runs[index] ?? 0;
    const high = runs[index + 1] ?? 0;
    writer.varint(low - last - 2);
    writer.varint(high - low);
    last = high;
  }
}

function writeEntry(entry: Entry, actorIndex: number): void {
  const { counter, key, payload } = entry;
  writer.varint(varintLength(actorIndex) + varintLength(counter) + key.length + payload.length);
  writer.varint(actorIndex);
  writer.varint(counter);
  writer.binary(key);
  writer.raw(payload);
}

/**
 * Records as bytes, and back. The form is canonical: equal records are equal bytes, and bytes in any other form are
 * refused. A state and a delta have the same form; the empty one is no bytes at all.
 *
 *     version
 *     actors    count, then each name (UTF-8, 1 to 64 bytes) in order
 *     seen      for each actor: contiguous maximum, count beyond it, then those as differences
 *     entries   count, then each in order: field, kind, actor's index, counter, stamp (8 bytes), payload
 */
import { CausalContext } from '../causal/context.ts';
import { nothingBeyond } from '../causal/seen.ts';
import { encodeStamp, readStamp, stampBytes } from '../clock/stamp.ts';
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { decodeUtf8, encodeUtf8 } from '../codec/utf8.ts';
import { malformed } from '../errors.ts';
import { compareEntries, emptyRecord } from './record.ts';
import type { Entry, RecordParts } from './record.ts';

const formatVersion = 1;
const maxActorBytes = 64;

export function encodeRecord({ context, entries }: RecordParts): Uint8Array {
  const actors = context.actors.toSorted();
  if (actors.length === 0) return new Uint8Array(0);
  const indexes = new Map(actors.map((actor, index) => [actor, index]));
  const writer = new ByteWriter(256);
  writer.byte(formatVersion);
  writer.integer(actors.length);
  for (const actor of actors) writer.block(encodeUtf8(actor));
  for (const actor of actors) writeSeen(writer, context, actor);
  writer.integer(entries.length);
  for (const entry of entries) writeEntry(writer, entry, indexes.get(entry.dot.actor) ?? 0);
  return writer.finish();
}

/** Throws `ConflictError` `malformed`. */
export function decodeRecord(bytes: Uint8Array): RecordParts {
  if (bytes.length === 0) return emptyRecord();
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version !== formatVersion) throw malformed(`format version ${formatVersion} is known`, version);
  const actors = readMany(reader, () => readText(reader, maxActorBytes));
  requireActors(actors);
  const context = new CausalContext();
  for (const actor of actors) readSeen(reader, context, actor);
  const entries = readMany(reader, () => readEntry(reader, actors));
  if (reader.at !== bytes.length) throw malformed('bytes after the end', bytes.length - reader.at);
  requireEntries(entries, context);
  return { context, entries };
}

function writeSeen(writer: ByteWriter, context: CausalContext, actor: string): void {
  const { max, beyond } = context.of(actor);
  writer.integer(max);
  writer.integer(beyond.length);
  let last = max;
  for (const counter of beyond) {
    writer.integer(counter - last);
    last = counter;
  }
}

function readSeen(reader: ByteReader, context: CausalContext, actor: string): void {
  const max = reader.integer();
  let last = max;
  let smallestStep = 2;
  const beyond = readMany(reader, () => {
    const step = reader.integer();
    if (step < smallestStep) throw malformed('counters out of order', step);
    smallestStep = 1;
    last += step;
    if (!Number.isSafeInteger(last)) throw malformed('a counter beyond 2^53');
    return last;
  });
  if (last === 0) throw malformed('an actor of which nothing was seen');
  context.join(actor, { max, beyond: beyond.length === 0 ? nothingBeyond : beyond });
}

function writeEntry(writer: ByteWriter, entry: Entry, actorIndex: number): void {
  writer.block(encodeUtf8(entry.field));
  writer.integer(entry.kind);
  writer.integer(actorIndex);
  writer.integer(entry.dot.counter);
  writer.range(encodeStamp(entry.stamp), 0, stampBytes);
  writer.block(entry.payload);
}

function readEntry(reader: ByteReader, actors: readonly string[]): Entry {
  const field = readText(reader, Infinity);
  const kind = reader.integer();
  const actor = actors[reader.integer()];
  if (actor === undefined) throw malformed('an entry of an actor that is not listed');
  const counter = reader.integer();
  const stamp = readStamp(reader.bytes, reader.skip(stampBytes));
  const payloadBytes = reader.integer();
  const start = reader.skip(payloadBytes);
  const payload = reader.bytes.slice(start, start + payloadBytes);
  return { field, kind, dot: { actor, counter }, stamp, payload };
}

function readText(reader: ByteReader, maxBytes: number): string {
  const length = reader.integer();
  if (length > maxBytes) throw malformed('a name is too long', length);
  const start = reader.skip(length);
  return decodeUtf8(reader.bytes, start, start + length);
}

/** An item takes at least a byte, so a count that lies ends with the bytes and not with the memory. */
function readMany<T>(reader: ByteReader, read: () => T): readonly T[] {
  const count = reader.integer();
  if (count > reader.bytes.length - reader.at) throw malformed('a count reaches past the end', count);
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read());
  return items;
}

function requireActors(actors: readonly string[]): void {
  if (actors.length === 0) throw malformed('no actor');
  for (const [index, actor] of actors.entries()) {
    if (actor === '') throw malformed('an actor without a name');
    const before = actors[index - 1];
    if (before !== undefined && before >= actor) throw malformed('actors out of order');
  }
}

function requireEntries(entries: readonly Entry[], context: CausalContext): void {
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1];
    if (before !== undefined && compareEntries(before, entry) >= 0) throw malformed('entries out of order');
    if (entry.dot.counter === 0 || !context.has(entry.dot)) throw malformed('an entry that was never seen');
  }
}

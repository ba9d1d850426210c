/**
 * A state or a delta taken apart, and put together again: `encode(decode(bytes))` gives the same bytes. Decoding
 * checks everything that the format fixes (order, shortest forms, bounds, dots within the context), so what is decoded
 * is canonical. Merging does not come through here; editing, reading and explaining do. In this form everything but
 * numbers is a binary string: cut out of the whole, compared as it lies, and added up to the bytes again.
 */
import { hasSeen, type Ranges, rangesOf, type Seen } from '../causal/seen.ts';
import { check, checkSize } from '../refusal.ts';
import { binaryOfBytes, bytesOf, checkBytes } from '../codec/bytes.ts';
import {
  beginReading,
  checkForm,
  malformed,
  readBinary,
  readByte,
  readNumber,
  readSince,
  remaining,
  skip,
} from '../codec/byte-reader.ts';
import {
  deepestPath,
  formatMajor,
  formatMinor,
  longestActorBytes,
  tagDeletion,
  tagExtended,
  tagMark,
  tagRegister,
  traitsOf,
  traitSub,
} from '../codec/format.ts';
import { textOf } from '../codec/utf8.ts';
import { sized, varint } from '../codec/varint.ts';
import { sorted } from '../sorted.ts';
import { compareEntries, type Entry, namesOfPath, order } from './entry.ts';

export interface DecodedRecord {
  readonly minor: number;
  readonly context: Seen;
  /** Sorted by key, then actor. */
  readonly entries: readonly Entry[];
}

/** Far above every state that edits make; to take more apart would take memory and seconds before it is refused. */
const largestRecord = 2 ** 26;

/** Throws `malformed`, `newer-format` or `too-large`; empty bytes are the record that never was. */
export function decode(bytes: Uint8Array): DecodedRecord {
  checkBytes(bytes, 'state');
  const context = new Map<string, Ranges>();
  const entries: Entry[] = [];
  if (bytes.length === 0) return { minor: formatMinor, context, entries };
  checkSize('state-bytes', bytes.length, largestRecord);
  beginReading(binaryOfBytes(bytes));
  const minor = readVersion();
  const actors = readActors(context);
  while (remaining() > 0) {
    const entry = readEntry(actors);
    const last = entries.at(-1);
    checkForm(last === undefined || compareEntries(last, entry) < 0);
    checkForm(hasSeen(context, entry));
    entries.push(entry);
  }
  return { minor, context, entries };
}

function readVersion(): number {
  const version = readByte();
  const major = version >> 4;
  checkForm(major >= formatMajor);
  const details = { rule: 'format-version', limit: formatMajor, value: major };
  check(major === formatMajor, 'newer-format', details);
  return version & 0x0f;
}

function readActors(context: Map<string, Ranges>): readonly string[] {
  const count = readNumber();
  checkForm(count > 0 && count <= remaining());
  const actors: string[] = [];
  for (let index = 0; index < count; index++) {
    const length = readByte();
    checkForm(length > 0 && length <= longestActorBytes);
    const actor = readBinary(length);
    textOf(actor);
    checkForm(actor > (actors.at(-1) ?? ''));
    actors.push(actor);
    context.set(actor, readRanges());
  }
  return actors;
}

function readRanges(): Ranges {
  const max = readNumber();
  const runCount = readNumber();
  checkForm(runCount <= remaining());
  const ranges = [1, max];
  let last = max;
  for (let index = 0; index < runCount; index++) {
    const low = last + 2 + readNumber();
    last = low + readNumber();
    checkForm(last <= Number.MAX_SAFE_INTEGER);
    ranges.push(low, last);
  }
  checkForm(last > 0);
  return ranges;
}

function readEntry(actors: readonly string[]): Entry {
  const size = readNumber();
  // What comes after the entry. What it says of itself may lie there, but then nothing is left for its payload.
  const rest = remaining() - size;
  const actor = actors[readNumber()];
  if (actor === undefined) throw malformed();
  const counter = readNumber();
  const keyStart = skip(0);
  let pathLength = -1;
  let byte = 0;
  do {
    byte = readByte();
    pathLength++;
  } while (byte < tagRegister);
  const tag = byte === tagExtended ? tagExtended * 256 + readByte() : byte;
  const mayLackPath = tag === tagMark || tag === tagDeletion || tag > tagExtended;
  const sub = (traitsOf(tag) & traitSub) === 0 ? '' : readBinary(readNumber());
  const key = readSince(keyStart);
  const path = key.slice(0, pathLength);
  const isNamed = (pathLength > 0 || mayLackPath) && namesOfPath(path).length <= deepestPath;
  checkForm(isNamed && counter > 0 && rest >= 0 && remaining() >= rest);
  return { key, path, tag, sub, actor, counter, payload: readBinary(remaining() - rest) };
}

export function encode({ minor, context, entries }: DecodedRecord): Uint8Array {
  const actors = sorted([...context.keys()], order);
  if (actors.length === 0) return new Uint8Array(0);
  const indexOf = new Map(actors.map((actor, index) => [actor, index]));
  let binary = String.fromCharCode((formatMajor << 4) | minor) + varint(actors.length);
  for (const actor of actors) binary += sized(actor) + binaryOfRanges(rangesOf(context, actor));
  for (const { actor, counter, key, payload } of sorted(entries, compareEntries)) {
    binary += sized(varint(indexOf.get(actor) ?? 0) + varint(counter) + key + payload);
  }
  return bytesOf(binary);
}

function binaryOfRanges(ranges: Ranges): string {
  let last = ranges[1] ?? 0;
  let binary = varint(last) + varint(ranges.length / 2 - 1);
  for (let index = 2; index < ranges.length; index++) {
    const bound = ranges[index] ?? 0;
    binary += varint(bound - last - (index % 2 === 0 ? 2 : 0));
    last = bound;
  }
  return binary;
}

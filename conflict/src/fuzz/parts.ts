/**
 * A record taken apart so far that every piece of it can be forged, and put together without any check. Unlike the
 * library's own forms it can hold what the format forbids: counts and sizes that lie, integers that are too long,
 * names that are no UTF-8. Only well-formed records are taken apart.
 */
import { beginReading, readBinary, readByte, readNumber, remaining } from '../codec/byte-reader.ts';
import { binaryOfBytes, bytesOf } from '../codec/bytes.ts';
import { tagExtended, tagRegister, traitsOf, traitSub } from '../codec/format.ts';

export interface ActorPart {
  readonly name: readonly number[];
  readonly max: number;
  /** Gap and length of each run, one after the other. */
  readonly runs: readonly number[];
}

export interface EntryPart {
  readonly index: number;
  readonly counter: number;
  readonly path: readonly number[];
  /** One byte, or two of an extended tag. */
  readonly tag: readonly number[];
  /** `null` where the tag has none. */
  readonly sub: readonly number[] | null;
  readonly payload: readonly number[];
}

/** What is added to a number that is written, so that it lies. */
interface Lies {
  readonly actorCount: number;
  readonly runCount: number;
  readonly entrySize: number;
  readonly subSize: number;
  /** Bytes by which integers are longer than they need to be. */
  readonly padding: number;
}

export interface Parts {
  readonly version: number;
  readonly actors: readonly ActorPart[];
  readonly entries: readonly EntryPart[];
  readonly lies: Lies;
}

export const honest: Lies = { actorCount: 0, runCount: 0, entrySize: 0, subSize: 0, padding: 0 };

export function partsOf(bytes: Uint8Array): Parts {
  if (bytes.length === 0) return { version: 0x10, actors: [], entries: [], lies: honest };
  beginReading(binaryOfBytes(bytes));
  const version = readByte();
  const actors = Array.from({ length: readNumber() }, actorPart);
  const entries: EntryPart[] = [];
  while (remaining() > 0) entries.push(entryPart());
  return { version, actors, entries, lies: honest };
}

function actorPart(): ActorPart {
  const name = [...bytesOf(readBinary(readByte()))];
  const max = readNumber();
  const runs = Array.from({ length: 2 * readNumber() }, readNumber);
  return { name, max, runs };
}

function entryPart(): EntryPart {
  const size = readNumber();
  const rest = remaining() - size;
  const index = readNumber();
  const counter = readNumber();
  const path: number[] = [];
  let first = readByte();
  for (; first < tagRegister; first = readByte()) path.push(first);
  const tag = first === tagExtended ? [first, readByte()] : [first];
  const traits = traitsOf(first === tagExtended ? tagExtended * 256 + (tag[1] ?? 0) : first);
  const sub = (traits & traitSub) === 0 ? null : [...bytesOf(readBinary(readNumber()))];
  return { index, counter, path, tag, sub, payload: [...bytesOf(readBinary(remaining() - rest))] };
}

export function assembled({ version, actors, entries, lies }: Parts): Uint8Array {
  const bytes: number[] = [version];
  varint(bytes, actors.length + lies.actorCount, lies.padding);
  for (const { name, max, runs } of actors) {
    bytes.push(name.length & 0xff, ...name);
    varint(bytes, max, 0);
    varint(bytes, runs.length / 2 + lies.runCount, 0);
    for (const run of runs) varint(bytes, run, 0);
  }
  for (const entry of entries) {
    const body = bodyOf(entry, lies);
    varint(bytes, Math.max(0, body.length + lies.entrySize), 0);
    for (const byte of body) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function bodyOf(entry: EntryPart, lies: Lies): readonly number[] {
  const body: number[] = [];
  varint(body, entry.index, lies.padding);
  varint(body, entry.counter, 0);
  body.push(...entry.path, ...entry.tag);
  if (entry.sub !== null) {
    varint(body, Math.max(0, entry.sub.length + lies.subSize), 0);
    body.push(...entry.sub);
  }
  for (const byte of entry.payload) body.push(byte);
  return body;
}

/** Unlike a writer's, it takes any number and makes the form too long where it is told to. */
export function varint(bytes: number[], value: number, padding: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  if (padding === 0) return void bytes.push(rest);
  bytes.push(rest | 0x80);
  for (let count = 1; count < padding; count++) bytes.push(0x80);
  bytes.push(0);
}

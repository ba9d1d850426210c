/**
 * The front of a state or delta: format version, actors in byte order, and for each what has been seen of it.
 * The high half of the version byte is the layout and must be ours; the low half may be newer, is carried
 * along, and only adds kinds of entries. No bytes at all mean: nothing ever seen. Every actor listed has
 * something seen, and nothing is listed twice, so one context has one form.
 */
import type { Seen } from '../causal/seen.ts';
import { joinSeen, nothingBeyond } from '../causal/seen.ts';
import { ByteReader, compareRanges } from '../codec/byte-reader.ts';
import type { ByteWriter } from '../codec/byte-writer.ts';
import { malformed } from '../errors.ts';

export const formatVersion = 0x10;
export const maxActorBytes = 64;

/** An actor's name as a range of bytes, and its context. */
export interface ActorSeen extends Seen {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface Header {
  readonly bytes: Uint8Array;
  readonly version: number;
  readonly actors: readonly ActorSeen[];
  /** Where the entries begin. */
  readonly entriesAt: number;
}

export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length === 0) return { bytes, version: formatVersion, actors: [], entriesAt: 0 };
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version >>> 4 !== formatVersion >>> 4) throw malformed('unknown layout', version);
  const count = reader.integer();
  if (count === 0) throw malformed('a context without actors');
  const actors: ActorSeen[] = [];
  for (let index = 0; index < count; index += 1) actors.push(readActor(reader, actors[index - 1]));
  return { bytes, version, actors, entriesAt: reader.at };
}

function readActor(reader: ByteReader, before: ActorSeen | undefined): ActorSeen {
  const length = reader.integer();
  if (length === 0 || length > maxActorBytes) throw malformed('an actor is named in 1 to 64 bytes', length);
  const start = reader.skip(length);
  const { bytes, at: end } = reader;
  if (before !== undefined && compareRanges(bytes, before.start, before.end, bytes, start, end) >= 0) {
    throw malformed('actors are not in order', start);
  }
  const max = reader.integer();
  const beyond = readBeyond(reader, max);
  if (max === 0 && beyond.length === 0) throw malformed('an actor of whom nothing is seen', start);
  return { bytes, start, end, max, beyond };
}

function readBeyond(reader: ByteReader, max: number): readonly number[] {
  const count = reader.integer();
  if (count === 0) return nothingBeyond;
  const counters: number[] = [];
  let last = max;
  for (let index = 0; index < count; index += 1) {
    const gap = reader.integer();
    if (gap < (index === 0 ? 2 : 1)) throw malformed('dots are not in their shortest form', reader.at);
    last += gap;
    if (last > Number.MAX_SAFE_INTEGER) throw malformed('a dot is too large', reader.at);
    counters.push(last);
  }
  return counters;
}

export function writeHeader(writer: ByteWriter, version: number, actors: readonly ActorSeen[]): void {
  writer.byte(version);
  writer.integer(actors.length);
  for (const actor of actors) {
    writer.integer(actor.end - actor.start);
    writer.range(actor.bytes, actor.start, actor.end);
    writer.integer(actor.max);
    writer.integer(actor.beyond.length);
    let last = actor.max;
    for (const counter of actor.beyond) {
      writer.integer(counter - last);
      last = counter;
    }
  }
}

/** Two headers brought together, and where each side's actors stand in the result and in the other. */
export interface JoinedHeader {
  readonly version: number;
  readonly actors: readonly ActorSeen[];
  readonly ourIndex: readonly number[];
  readonly theirIndex: readonly number[];
  readonly ourActorsInTheirs: readonly (Seen | null)[];
  readonly theirActorsInOurs: readonly (Seen | null)[];
  /** The result says more than ours did. */
  readonly grown: boolean;
  /** Our actors keep their indices. */
  readonly indicesKept: boolean;
}

export function joinHeaders(ours: Header, theirs: Header): JoinedHeader {
  const version = Math.max(ours.version, theirs.version);
  const actors: ActorSeen[] = [];
  const ourIndex: number[] = [];
  const theirIndex: number[] = [];
  const ourActorsInTheirs: (Seen | null)[] = [];
  const theirActorsInOurs: (Seen | null)[] = [];
  let grown = version !== ours.version;
  let indicesKept = true;
  while (ourIndex.length < ours.actors.length || theirIndex.length < theirs.actors.length) {
    const our = ours.actors[ourIndex.length];
    const their = theirs.actors[theirIndex.length];
    const order = compareActors(our, their);
    const actor = joinActors(order <= 0 ? our : undefined, order >= 0 ? their : undefined);
    if (order <= 0) {
      indicesKept &&= ourIndex.length === actors.length;
      ourIndex.push(actors.length);
      ourActorsInTheirs.push(order === 0 && their !== undefined ? their : null);
    }
    if (order >= 0) {
      theirIndex.push(actors.length);
      theirActorsInOurs.push(order === 0 && our !== undefined ? our : null);
    }
    grown ||= actor !== our;
    actors.push(actor);
  }
  return { version, actors, ourIndex, theirIndex, ourActorsInTheirs, theirActorsInOurs, grown, indicesKept };
}

function joinActors(our: ActorSeen | undefined, their: ActorSeen | undefined): ActorSeen {
  if (our === undefined || their === undefined) return presentOf(our ?? their);
  const joined = joinSeen(our, their);
  if (joined === our) return our;
  return { bytes: our.bytes, start: our.start, end: our.end, max: joined.max, beyond: joined.beyond };
}

function presentOf(actor: ActorSeen | undefined): ActorSeen {
  if (actor === undefined) throw malformed('an actor is missing');
  return actor;
}

function compareActors(our: ActorSeen | undefined, their: ActorSeen | undefined): number {
  if (our === undefined) return 1;
  if (their === undefined) return -1;
  return compareRanges(our.bytes, our.start, our.end, their.bytes, their.start, their.end);
}

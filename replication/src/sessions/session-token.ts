/**
 * A session as it travels: opaque to whoever carries it, and authenticated, so that nobody makes a region wait for what
 * never was. The key is one for all regions, because a token goes from any to any. Decoding checks the code before it
 * reads anything else; whatever is wrong ends in `malformed-record`, and its detail never repeats the token. Both sides
 * keep to the same bounds: what is encoded is decoded by every region, whatever was seen.
 *
 *     base64url of: u8 version = 2, string region, u32 counter, u32 nonce, vector, ahead, 16 bytes of HMAC-SHA-256
 *     a vector: varint regions, then for each
 *       string region, varint lives, then for each
 *         u32 counter, u32 nonce, varint runs, then for each, in order of their partitions
 *           varint partitions left out before it, varint partitions beside the first, place
 *     a place: an LSN, which is mostly near that of the run before, or in a first run near 0
 *       varint 1 + 2 * distance, or 2 + 2 * distance where it lies before; or varint 0, u64 LSN
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader, ByteWriter, malformed } from '../bytes.ts';
import { ReplicationError } from '../errors.ts';
import { maxPartitions, readIncarnation, readRegion, readUpTo } from '../log/wire-fields.ts';
import type { Lsn } from '../ports/change.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import type { Issuer, Session } from './session.ts';
import { livesOf, ofLargestPart, type Seen, type SeenLife, type SeenLives } from './session-fit.ts';

const formatVersion = 2;
const codeBytes = 16;
/** Of the header; more would not pass many a proxy. */
const maxTokenLength = 8192;
/** What a token of that length is without its code. */
const maxBodyBytes = (maxTokenLength / 4) * 3 - codeBytes;
/** Of both vectors together: a run names many partitions in a few bytes. */
const maxEntries = 8192;
/** A longer distance is written as a place. */
const maxDistance = 2n ** 51n;

/** Throws `session-too-large` where even the newest life of every region is too much, which takes a hundred regions or more. */
export function encodeSession({ issuer, vector, ahead }: Session, key: Uint8Array): string {
  const seen = { vector: livesOf(vector), ahead: livesOf(ahead) };
  const writer = ofLargestPart(seen, (part) => bodyOf(issuer, part));
  if (writer === null) {
    const limits = `${maxTokenLength} characters and ${maxEntries} partitions`;
    const detail = `a session that has seen ${seen.vector.size} regions takes more than ${limits}`;
    throw new ReplicationError('session-too-large', detail, { retriable: false });
  }
  writer.raw(codeOf(writer.view(), key));
  return writer.view().toString('base64url');
}

/** `null`: more than is taken in. */
function bodyOf({ region, incarnation }: Issuer, { vector, ahead }: Seen): ByteWriter | null {
  if (entriesIn(vector) + entriesIn(ahead) > maxEntries) return null;
  const writer = new ByteWriter(256);
  writer.u8(formatVersion);
  writer.string(region);
  writer.u32(incarnation.counter);
  writer.u32(incarnation.nonce);
  writeLives(writer, vector);
  writeLives(writer, ahead);
  return writer.length > maxBodyBytes ? null : writer;
}

function entriesIn(seen: SeenLives): number {
  let count = 0;
  for (const lives of seen.values()) for (const { places } of lives) count += places.length;
  return count;
}

/** Throws `malformed-record`. */
export function decodeSession(token: string, key: Uint8Array): Session {
  if (token.length > maxTokenLength)
    throw malformed(`a session of ${token.length} characters, at most ${maxTokenLength}`);
  if (!/^[A-Za-z0-9_-]+$/.test(token)) throw malformed('a session is written in base64url');
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length <= codeBytes) throw malformed(`a session of ${bytes.length} bytes`);
  const body = bytes.subarray(0, bytes.length - codeBytes);
  if (!timingSafeEqual(codeOf(body, key), bytes.subarray(bytes.length - codeBytes)))
    throw malformed('the session was not made by a region that shares our key');
  const reader = new ByteReader(body);
  const version = reader.u8();
  if (version !== formatVersion)
    throw malformed(`a session of version ${version}, known is ${formatVersion}`);
  const issuer = readIssuer(reader);
  const vector = readVector(reader, maxEntries);
  const ahead = readVector(reader, maxEntries - vector.length);
  reader.end();
  return { issuer, vector, ahead };
}

function codeOf(body: Uint8Array, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update('isthmus session').update(body).digest().subarray(0, codeBytes);
}

function writeLives(writer: ByteWriter, seen: SeenLives): void {
  writer.varint(seen.size);
  for (const [region, lives] of seen) {
    writer.string(region);
    writer.varint(lives.length);
    for (const life of lives) writeLife(writer, life);
  }
}

interface Run {
  readonly first: number;
  last: number;
  readonly lsn: Lsn;
}

function writeLife(writer: ByteWriter, { counter, nonce, places }: SeenLife): void {
  writer.u32(counter);
  writer.u32(nonce);
  const runs = runsOf(places);
  writer.varint(runs.length);
  let [next, before] = [0, 0n];
  for (const { first, last, lsn } of runs) {
    writer.varint(first - next);
    writer.varint(last - first);
    writePlace(writer, lsn, before);
    [next, before] = [last + 1, lsn];
  }
}

/** Partitions that follow one another at one place: beats take all partitions of a log to the same. */
function runsOf(places: SeenLife['places']): readonly Run[] {
  const runs: Run[] = [];
  for (const { partition, lsn } of places.toSorted((a, b) => a.partition - b.partition)) {
    const run = runs.at(-1);
    if (run !== undefined && run.last === partition - 1 && run.lsn === lsn) run.last = partition;
    else runs.push({ first: partition, last: partition, lsn });
  }
  return runs;
}

function writePlace(writer: ByteWriter, lsn: Lsn, before: Lsn): void {
  const distance = lsn - before;
  if (distance >= 0n && distance < maxDistance) return writer.varint(1 + 2 * Number(distance));
  if (distance < 0n && -distance < maxDistance) return writer.varint(2 + 2 * Number(-distance));
  writer.varint(0);
  writer.u64(lsn);
}

function readPlace(reader: ByteReader, before: Lsn): Lsn {
  const told = reader.varint();
  if (told === 0) return reader.u64();
  const distance = BigInt(Math.floor((told - 1) / 2));
  return BigInt.asUintN(64, told % 2 === 1 ? before + distance : before - distance);
}

function readIssuer(reader: ByteReader): Issuer {
  return { region: readRegion(reader, "a session's region"), incarnation: readIncarnation(reader) };
}

function readVector(reader: ByteReader, limit: number): Vector {
  const vector: VectorEntry[] = [];
  for (let regions = readCount(reader); regions > 0; regions--) {
    const region = readRegion(reader, "a session's region");
    for (let lives = readCount(reader); lives > 0; lives--) {
      readLife(reader, { region, incarnation: readIncarnation(reader) }, (entry) => {
        if (vector.push(entry) > limit)
          throw malformed(`a session names over ${maxEntries} partitions of lives`);
      });
    }
  }
  return vector;
}

function readLife(reader: ByteReader, owner: Issuer, onEntry: (entry: VectorEntry) => void): void {
  let [next, lsn] = [0, 0n];
  for (let runs = readCount(reader); runs > 0; runs--) {
    const first = readUpTo(reader, "a session's partition", maxPartitions - 1 - next) + next;
    next = first + 1 + readUpTo(reader, "a session's partitions", maxPartitions - 1 - first);
    lsn = readPlace(reader, lsn);
    for (let partition = first; partition < next; partition++) onEntry({ ...owner, partition, lsn });
  }
}

/** Of what takes a byte or more each. */
function readCount(reader: ByteReader): number {
  return readUpTo(reader, "a session's count", reader.remaining);
}

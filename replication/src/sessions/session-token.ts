/**
 * A session as it travels: opaque to whoever carries it, and authenticated, so that nobody makes a region wait for what
 * never was. The key is one for all regions, because a token goes from any to any. Decoding checks the code before it
 * reads anything else; whatever is wrong ends in `malformed-record`, and its detail never repeats the token.
 *
 *     base64url of: u8 version = 1, string region, u32 counter, u32 nonce, vector, ahead, 16 bytes of HMAC-SHA-256
 *     a vector: varint incarnations, then for each
 *       string region, u32 counter, u32 nonce, varint entries, then for each varint partition, u64 LSN
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader, ByteWriter, malformed } from '../bytes.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import type { Session } from './session.ts';

const formatVersion = 1;
const codeBytes = 16;
/** Of the header; more would not pass many a proxy. */
const maxTokenLength = 8192;
const maxIncarnations = 256;
const maxPartition = 1023;

export function encodeSession({ issuer, vector, ahead }: Session, key: Uint8Array): string {
  const writer = new ByteWriter(256);
  writer.u8(formatVersion);
  writeIssuer(writer, issuer);
  writeVector(writer, vector);
  writeVector(writer, ahead);
  writer.raw(codeOf(writer.finish(), key));
  return writer.finish().toString('base64url');
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
  const session = { issuer: readIssuer(reader), vector: readVector(reader), ahead: readVector(reader) };
  reader.end();
  return session;
}

function codeOf(body: Uint8Array, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update('isthmus session').update(body).digest().subarray(0, codeBytes);
}

interface Owner {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
}

function writeIssuer(writer: ByteWriter, { region, incarnation }: Owner): void {
  writer.string(region);
  writer.u32(incarnation.counter);
  writer.u32(incarnation.nonce);
}

function writeVector(writer: ByteWriter, vector: Vector): void {
  const groups = new Map<string, VectorEntry[]>();
  for (const entry of vector) {
    const name = `${entry.region} ${entry.incarnation.counter} ${entry.incarnation.nonce}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [entry]);
    else group.push(entry);
  }
  writer.varint(groups.size);
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    writeIssuer(writer, first);
    writer.varint(group.length);
    for (const { partition, lsn } of group) {
      writer.varint(partition);
      writer.u64(lsn);
    }
  }
}

function readIssuer(reader: ByteReader): Owner {
  const region = parseRegionId(reader.string());
  if (region === null) throw malformed('a session names no region');
  return { region, incarnation: { counter: reader.u32(), nonce: reader.u32() } };
}

function readVector(reader: ByteReader): Vector {
  const groups = reader.varint();
  if (groups > maxIncarnations)
    throw malformed(`a session of ${groups} incarnations, at most ${maxIncarnations}`);
  const entries: VectorEntry[] = [];
  for (let group = 0; group < groups; group++) {
    const owner = readIssuer(reader);
    const count = reader.varint();
    if (count > maxPartition + 1) throw malformed(`a session names ${count} partitions`);
    for (let index = 0; index < count; index++) entries.push(readEntry(reader, owner));
  }
  return entries;
}

function readEntry(reader: ByteReader, owner: Owner): VectorEntry {
  const partition = reader.varint();
  if (partition > maxPartition) throw malformed(`a session names partition ${partition}`);
  const { region, incarnation } = owner;
  return { region, incarnation, partition, lsn: reader.u64() };
}

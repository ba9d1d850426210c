/**
 * What travels through Kafka. A changes record is a statement about one write-ahead log: "these are all changes of
 * this partition with from < position <= to" (P2). A start record opens an incarnation in a partition and says
 * from where it counts. The format's version is its first byte and a CRC-32 is its end, because the client that
 * fetches does not check Kafka's own; bytes that do not check out are refused whole. Encoding is canonical: the same
 * record gives the same bytes, so that a record sent twice is the same record.
 */
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, malformed, unknownVersion } from '../bytes.ts';
import { AssertionFailure, ReplicationError } from '../errors.ts';
import type { Change, CountedBeat, Lsn } from '../ports/change.ts';
import type { RecordReach } from '../ports/change-feed.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import {
  maxInteger,
  maxPartitions,
  readIncarnation,
  readMany,
  readPartition,
  readRegion,
  readTime,
  readUpTo,
} from './wire-fields.ts';

/** A change with its place in the log: the end of its commit, and its index among that commit's changes. */
export interface PlacedChange extends Change {
  readonly lsn: Lsn;
  readonly index: number;
}

interface RecordHead {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  readonly partition: number;
}

export interface ChangesRecord extends RecordHead {
  readonly kind: 'changes';
  /** Exclusive. */
  readonly from: Lsn;
  /** Inclusive; a commit's end. */
  readonly to: Lsn;
  readonly beats: readonly CountedBeat[];
  /** In order of (lsn, index). */
  readonly changes: readonly PlacedChange[];
}

export interface StartRecord extends RecordHead {
  readonly kind: 'start';
  readonly partitionCount: number;
  /** The incarnation's changes all lie after this position. */
  readonly at: Lsn;
}

export type LogRecord = ChangesRecord | StartRecord;

const formatVersion = 1;
const kinds = { changes: 1, start: 2 } as const;
const crcBytes = 4;

/** One for all records: most are small, and a writer of its own would cost more than what it writes. */
const shared = new ByteWriter();

export function encodeLogRecord(record: LogRecord): Buffer {
  const writer = shared;
  writer.clear();
  writer.u8(formatVersion);
  writer.u8(kinds[record.kind]);
  writer.string(record.origin);
  writer.u32(record.incarnation.counter);
  writer.u32(record.incarnation.nonce);
  writer.varint(record.partition);
  if (record.kind === 'start') writeStart(writer, record);
  else writeChanges(writer, record);
  writer.u32(crc32(writer.view()));
  return writer.finish();
}

/** `null` where the bytes are no record: for who only asks what a log says, and leaves refusing to the applier. */
export function logRecordOrNull(bytes: Uint8Array): LogRecord | null {
  try {
    return decodeLogRecord(bytes);
  } catch (reason) {
    if (reason instanceof ReplicationError) return null;
    throw reason;
  }
}

/** Of a record of changes, without reading the rest of it; `null`: it is none. */
export function reachOf(bytes: Uint8Array): RecordReach | null {
  try {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== formatVersion || reader.u8() !== kinds.changes) return null;
    const { incarnation } = readHead(reader);
    reader.u64();
    return { incarnation, to: reader.u64() };
  } catch (reason) {
    if (reason instanceof ReplicationError) return null;
    throw reason;
  }
}

/** Throws `malformed-record` or `newer-format`. */
export function decodeLogRecord(bytes: Uint8Array): LogRecord {
  const reader = new ByteReader(checkedBody(bytes));
  const version = reader.u8();
  if (version !== formatVersion) throw unknownVersion('log record', version, formatVersion);
  const kind = reader.u8();
  const head = readHead(reader);
  const record = readBody(reader, kind, head);
  reader.end();
  return record;
}

function checkedBody(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= crcBytes) throw malformed(`log record of ${bytes.length} bytes`);
  const body = bytes.subarray(0, bytes.length - crcBytes);
  if (crc32(body) !== lastU32(bytes)) throw malformed('the checksum of a log record does not match');
  return body;
}

/** A view for these four bytes alone would cost more than reading them. */
function lastU32(bytes: Uint8Array): number {
  let value = 0;
  for (let at = bytes.length - crcBytes; at < bytes.length; at++) value = value * 256 + (bytes[at] ?? 0);
  return value;
}

function readHead(reader: ByteReader): RecordHead {
  return {
    origin: readRegion(reader, 'the origin of a log record'),
    incarnation: readIncarnation(reader),
    partition: readPartition(reader),
  };
}

function readBody(reader: ByteReader, kind: number, head: RecordHead): LogRecord {
  if (kind === kinds.changes) return readChanges(reader, head);
  if (kind === kinds.start)
    return {
      kind: 'start',
      ...head,
      partitionCount: readUpTo(reader, 'partitionCount', maxPartitions),
      at: reader.u64(),
    };
  throw malformed(`log record of kind ${kind}`);
}

function writeStart(writer: ByteWriter, record: StartRecord): void {
  writer.varint(record.partitionCount);
  writer.u64(record.at);
}

function writeChanges(writer: ByteWriter, record: ChangesRecord): void {
  if (record.from >= record.to) throw new AssertionFailure(`empty interval ${record.from}..${record.to}`);
  writer.u64(record.from);
  writer.u64(record.to);
  writer.varint(record.beats.length);
  for (const beat of record.beats) writeBeat(writer, beat);
  if (record.changes.length === 0) return writeNothing(writer);
  const collections = [...new Set(record.changes.map((change) => change.collection))];
  writer.varint(collections.length);
  for (const collection of collections) writer.string(collection);
  writer.varint(record.changes.length);
  const indexes = new Map(collections.map((collection, index) => [collection, index]));
  let lsn = record.from;
  for (const change of record.changes) {
    writer.varint(Number(change.lsn - lsn));
    lsn = change.lsn;
    writer.varint(change.index);
    writer.varint(indexes.get(change.collection) ?? 0);
    writer.string(change.key);
    writer.bytes(change.delta);
  }
}

/** No collections and no changes: most records of a region in which nobody writes. */
function writeNothing(writer: ByteWriter): void {
  writer.varint(0);
  writer.varint(0);
}

function readChanges(reader: ByteReader, head: RecordHead): ChangesRecord {
  const from = reader.u64();
  const to = reader.u64();
  if (from >= to) throw malformed(`empty interval ${from}..${to}`);
  const beats = readMany(reader, () => readBeat(reader));
  const collections = readMany(reader, () => reader.string());
  let lsn = from;
  const changes = readMany(reader, () => {
    lsn += BigInt(reader.varint());
    const index = readUpTo(reader, "a change's index", maxInteger);
    const collection = collections[reader.varint()];
    if (collection === undefined) throw malformed('a change names no collection of its record');
    return {
      lsn,
      index,
      collection,
      key: reader.string(),
      delta: reader.bytes(),
    };
  });
  if (lsn > to) throw malformed(`a change at ${lsn} lies beyond its interval's end ${to}`);
  const { origin, incarnation, partition } = head;
  return { kind: 'changes', origin, incarnation, partition, from, to, beats, changes };
}

export function writeBeat(writer: ByteWriter, beat: CountedBeat): void {
  writer.varint(beat.number);
  writer.u64(beat.lsn);
  writer.u64(beat.end);
  writer.f64(beat.atMs);
  writer.varint(beat.count === null ? 0 : beat.count + 1);
}

export function readBeat(reader: ByteReader): CountedBeat {
  const number = reader.varint();
  const lsn = reader.u64();
  const end = reader.u64();
  const atMs = readTime(reader, "a beat's atMs");
  const count = reader.varint();
  return { number, lsn, end, atMs, count: count === 0 ? null : count - 1 };
}

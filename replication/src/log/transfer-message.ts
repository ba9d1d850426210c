/**
 * Requests and answers of a transfer as bytes (P6): binary, the version first, sealed with the conflict library's
 * checksum, so that bytes that were damaged on the way are refused and never merged. Decoding checks every name, count
 * and length; whatever arrives ends in a message that can be trusted in form or in `malformed-record`. That the peer
 * is the one that it says is for the transport to see to.
 */
import { ConflictError, open, seal } from '@isthmus/conflict';
import { ByteReader, ByteWriter, malformed } from '../bytes.ts';
import type { RecordId } from '../ports/change.ts';
import type { NextRange } from '../ports/record-reader.ts';
import type { FetchedRecords, Refusal, TransferAnswer, TransferRequest } from '../ports/transfer-peer.ts';
import { readOffer, writeOffer } from './offer-bytes.ts';
import { maxInteger, readMany, readUpTo } from './wire-fields.ts';

const version = 4;
/** One state at its largest, and room for what stands around it. */
export const maxTransferBytes = 8 * 1024 * 1024;
const requestKinds = ['open', 'ranges', 'fetch', 'states', 'close'] as const;
const answerKinds = ['offer', 'ranges', 'records', 'states', 'closed', 'refused'] as const;
const refusals: readonly Refusal[] = [
  'busy',
  'unpublished',
  'no-beat',
  'below-slot',
  'snapshot-gone',
  'malformed-request',
  'filled-anew',
];

export function encodeRequest(request: TransferRequest): Uint8Array {
  const writer = begin(requestKinds.indexOf(request.kind));
  if (request.kind !== 'open') writer.string(request.snapshot);
  if (request.kind === 'ranges') writeId(writer, request.after);
  if (request.kind === 'states') writeMany(writer, request.ids, (id) => writeId(writer, id));
  if (request.kind === 'fetch') {
    writeId(writer, request.range.after);
    writeId(writer, request.range.until);
    writeMany(writer, request.have, (hash) => writer.bytes(hash));
  }
  return seal(writer.finish());
}

/** Throws `malformed-record`. */
export function decodeRequest(bytes: Uint8Array): TransferRequest {
  const { reader, kind } = opened(bytes, requestKinds);
  const request = readRequest(reader, kind);
  reader.end();
  return request;
}

function readRequest(reader: ByteReader, kind: TransferRequest['kind']): TransferRequest {
  if (kind === 'open') return { kind };
  const snapshot = reader.string();
  switch (kind) {
    case 'ranges':
      return { kind, snapshot, after: readId(reader) };
    case 'fetch': {
      const range = { after: readId(reader), until: readId(reader) };
      return { kind, snapshot, range, have: readMany(reader, () => reader.bytes()) };
    }
    case 'states':
      return { kind, snapshot, ids: readMany(reader, () => readId(reader)) };
    case 'close':
      return { kind, snapshot };
  }
}

export function encodeAnswer(answer: TransferAnswer): Uint8Array {
  const writer = begin(answerKinds.indexOf(answer.kind));
  if (answer.kind === 'offer') writeOffer(writer, answer.offer);
  if (answer.kind === 'ranges') writeMany(writer, answer.ranges, (range) => writeRange(writer, range));
  if (answer.kind === 'records') writeRecords(writer, answer.fetched);
  if (answer.kind === 'states') writeMany(writer, answer.states, (state) => writer.bytes(state));
  if (answer.kind === 'refused') {
    writer.u8(refusals.indexOf(answer.refusal));
    writer.string(answer.detail);
  }
  return seal(writer.finish());
}

/** Throws `malformed-record`. */
export function decodeAnswer(bytes: Uint8Array): TransferAnswer {
  const { reader, kind } = opened(bytes, answerKinds);
  const answer = readAnswer(reader, kind);
  reader.end();
  return answer;
}

function readAnswer(reader: ByteReader, kind: TransferAnswer['kind']): TransferAnswer {
  switch (kind) {
    case 'offer':
      return { kind, offer: readOffer(reader) };
    case 'ranges':
      return { kind, ranges: readMany(reader, () => readRange(reader)) };
    case 'records':
      return { kind, fetched: readRecords(reader) };
    case 'states':
      return { kind, states: readMany(reader, () => reader.bytes()) };
    case 'closed':
      return { kind };
    case 'refused':
      return { kind, refusal: oneOf(refusals, reader.u8()), detail: reader.string() };
  }
}

function writeRange(writer: ByteWriter, { until, digest, records }: NextRange): void {
  writeId(writer, until);
  writer.bytes(digest);
  writer.varint(records);
}

function readRange(reader: ByteReader): NextRange {
  const until = readId(reader);
  return { until, digest: reader.bytes(), records: readUpTo(reader, 'records of a range', maxInteger) };
}

function writeRecords(writer: ByteWriter, { records, through, lacking }: FetchedRecords): void {
  writeMany(writer, records, ({ collection, key, state }) => {
    writeId(writer, { collection, key });
    writer.bytes(state);
  });
  writeId(writer, through);
  writeMany(writer, lacking, (place) => writer.varint(place));
}

function readRecords(reader: ByteReader): FetchedRecords {
  const records = readMany(reader, () => ({ ...readId(reader), state: reader.bytes() }));
  return { records, through: readId(reader), lacking: readMany(reader, () => reader.varint()) };
}

function writeId(writer: ByteWriter, { collection, key }: RecordId): void {
  writer.string(collection);
  writer.string(key);
}

function readId(reader: ByteReader): RecordId {
  return { collection: reader.string(), key: reader.string() };
}

function begin(kind: number): ByteWriter {
  const writer = new ByteWriter(1024);
  writer.u8(version);
  writer.u8(kind);
  return writer;
}

function opened<K extends string>(
  bytes: Uint8Array,
  kinds: readonly K[],
): { readonly reader: ByteReader; readonly kind: K } {
  if (bytes.length > maxTransferBytes)
    throw malformed(`a transfer message has ${bytes.length} bytes, at most ${maxTransferBytes} are read`);
  const reader = new ByteReader(unsealed(bytes));
  const found = reader.u8();
  if (found !== version) throw malformed(`transfer message of version ${found}, known is ${version}`);
  return { reader, kind: oneOf(kinds, reader.u8()) };
}

function unsealed(bytes: Uint8Array): Uint8Array {
  try {
    return open(bytes);
  } catch (reason) {
    if (reason instanceof ConflictError) throw malformed(`transfer message: ${reason.message}`);
    throw reason;
  }
}

function oneOf<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw malformed(`kind ${index} in a transfer message`);
  return value;
}

function writeMany<T>(writer: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  writer.varint(items.length);
  for (const item of items) write(item);
}

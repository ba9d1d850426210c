/**
 * Offers and vectors as bytes, for the wire and for a job that is to be gone on with. The same vector always gives the
 * same bytes. Reading throws `malformed-record`.
 */
import { ByteReader, ByteWriter, malformed } from '../bytes.ts';
import type { BeatOf } from '../ports/beat-store.ts';
import type { Offer } from '../ports/transfer-peer.ts';
import type { Vector, VectorEntry, WholePast } from '../ports/vector.ts';
import { placeOf } from '../vector.ts';
import { readBeat, writeBeat } from './log-record.ts';
import { readIncarnation, readPartition, readRegion } from './wire-fields.ts';

export function writeOffer(writer: ByteWriter, offer: Offer): void {
  writer.string(offer.region);
  writer.u32(offer.incarnation.counter);
  writer.u32(offer.incarnation.nonce);
  writer.string(offer.snapshot);
  for (const vector of [offer.vector, offer.ahead, offer.horizon]) writeVector(writer, vector);
  writeWhole(writer, offer.whole);
  writeBeats(writer, offer.beats);
  writer.varint(offer.floorMs);
  writer.varint(offer.slot?.number ?? 0);
  writer.u64(offer.slot?.from ?? 0n);
  writer.u8(offer.mayBeEmptied ? 1 : 0);
  writer.f64(offer.beatAgeMs);
}

export function readOffer(reader: ByteReader): Offer {
  const region = readRegion(reader, 'the region of an offer');
  const incarnation = readIncarnation(reader);
  const snapshot = reader.string();
  const vector = readVector(reader);
  const ahead = readVector(reader);
  const horizon = readVector(reader);
  const whole = readWhole(reader);
  const beats = readBeats(reader);
  const floorMs = reader.varint();
  const number = reader.varint();
  const from = reader.u64();
  const flag = reader.u8();
  if (flag > 1) throw malformed(`${flag} tells nothing of whether a donor may be emptied`);
  const beatAgeMs = reader.f64();
  if (!Number.isFinite(beatAgeMs)) throw malformed('the age of a beat is no finite number');
  const slot = number === 0 ? null : { number, from };
  const vectors = { vector, ahead, whole, horizon };
  const mayBeEmptied = flag === 1;
  return { region, incarnation, snapshot, ...vectors, beats, floorMs, slot, mayBeEmptied, beatAgeMs };
}

function writeWhole(writer: ByteWriter, whole: readonly WholePast[]): void {
  writer.varint(whole.length);
  for (const { region, before } of whole) {
    writer.string(region);
    writer.u32(before);
  }
}

function readWhole(reader: ByteReader): readonly WholePast[] {
  const count = reader.varint();
  if (count > reader.remaining) throw malformed(`${count} pasts announced, ${reader.remaining} bytes left`);
  const whole = Array.from({ length: count }, () => ({
    region: readRegion(reader, 'the region of a past'),
    before: reader.u32(),
  }));
  if (new Set(whole.map(({ region }) => region)).size < count) throw malformed('a past is named twice');
  return whole;
}

/** A vector alone. */
export function encodeVector(vector: Vector): Buffer {
  const writer = new ByteWriter(256);
  writeVector(writer, vector);
  return writer.finish();
}

export function decodeVector(bytes: Uint8Array): Vector {
  const reader = new ByteReader(bytes);
  const vector = readVector(reader);
  reader.end();
  return vector;
}

/** Beats alone. */
export function encodeBeats(beats: readonly BeatOf[]): Buffer {
  const writer = new ByteWriter(256);
  writeBeats(writer, beats);
  return writer.finish();
}

export function decodeBeats(bytes: Uint8Array): readonly BeatOf[] {
  const reader = new ByteReader(bytes);
  const beats = readBeats(reader);
  reader.end();
  return beats;
}

function writeBeats(writer: ByteWriter, beats: readonly BeatOf[]): void {
  writer.varint(beats.length);
  for (const { region, incarnation, beat } of beats) {
    writer.string(region);
    writer.u32(incarnation.counter);
    writer.u32(incarnation.nonce);
    writeBeat(writer, beat);
  }
}

function readBeats(reader: ByteReader): readonly BeatOf[] {
  const count = reader.varint();
  if (count > reader.remaining) throw malformed(`${count} beats announced, ${reader.remaining} bytes left`);
  return Array.from({ length: count }, () => {
    const region = readRegion(reader, 'the region of a beat');
    return { region, incarnation: readIncarnation(reader), beat: readBeat(reader) };
  });
}

export function writeVector(writer: ByteWriter, vector: Vector): void {
  writer.varint(vector.length);
  for (const { region, incarnation, partition, lsn } of vector) {
    writer.string(region);
    writer.u32(incarnation.counter);
    writer.u32(incarnation.nonce);
    writer.varint(partition);
    writer.u64(lsn);
  }
}

export function readVector(reader: ByteReader): Vector {
  const count = reader.varint();
  if (count > reader.remaining) throw malformed(`${count} entries announced, ${reader.remaining} bytes left`);
  const vector = Array.from({ length: count }, () => readEntry(reader));
  // No statement writes one row twice.
  if (new Set(vector.map(placeOf)).size < count)
    throw malformed('a vector names a partition of a life twice');
  return vector;
}

function readEntry(reader: ByteReader): VectorEntry {
  const region = readRegion(reader, 'the region of a vector');
  const incarnation = readIncarnation(reader);
  return { region, incarnation, partition: readPartition(reader), lsn: reader.u64() };
}

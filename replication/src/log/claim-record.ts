/**
 * A claim of an incarnation, as the control topic holds it: "this database takes this counter, under this nonce" (P9).
 * The first claim of a counter wins. The format's version is its first byte and a CRC-32 its end; what cannot be read
 * is refused whole, and its reader must not guess a counter from it.
 */
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, malformed } from '../bytes.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import { readIncarnation, readRegion } from './wire-fields.ts';

export interface ClaimRecord {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
}

const formatVersion = 1;
const claimKind = 1;
const crcBytes = 4;

export function encodeClaim({ region, incarnation }: ClaimRecord): Buffer {
  const writer = new ByteWriter(64);
  writer.u8(formatVersion);
  writer.u8(claimKind);
  writer.string(region);
  writer.u32(incarnation.counter);
  writer.u32(incarnation.nonce);
  writer.u32(crc32(writer.finish()));
  return writer.finish();
}

/** Throws `malformed-record`. */
export function decodeClaim(bytes: Uint8Array): ClaimRecord {
  if (bytes.length <= crcBytes) throw malformed(`claim of ${bytes.length} bytes`);
  const body = bytes.subarray(0, bytes.length - crcBytes);
  const expected = new ByteReader(bytes.subarray(bytes.length - crcBytes)).u32();
  if (crc32(body) !== expected) throw malformed('the checksum of a claim does not match');
  const reader = new ByteReader(body);
  const version = reader.u8();
  if (version !== formatVersion) throw malformed(`claim of version ${version}, known is ${formatVersion}`);
  const kind = reader.u8();
  if (kind !== claimKind) throw malformed(`control record of kind ${kind}`);
  const claim = { region: readRegion(reader, 'the region of a claim'), incarnation: readIncarnation(reader) };
  reader.end();
  return claim;
}

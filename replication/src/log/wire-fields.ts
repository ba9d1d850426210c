/**
 * The fields that several formats have, with the one bound that each of them has wherever it comes from: what passes
 * here fits into the columns of the database and into every message of ours that repeats it. Whoever is outside a bound
 * is refused with `malformed-record`, which names field, limit and value. Texts are checked by the reader itself. How many
 * of anything follow is read here too.
 */
import { type ByteReader, malformed } from '../bytes.ts';
import type { ReplicationError } from '../errors.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';

/** Of one incarnation. */
export const maxPartitions = 1024;
/** What a database can hold as an integer. */
export const maxInteger = 2 ** 31 - 1;
/** The last millisecond that a JavaScript date can name. */
const maxTimeMs = 8.64e15;

export function readRegion(reader: ByteReader, field: string): RegionId {
  const name = reader.string();
  const region = parseRegionId(name);
  if (region === null) throw malformed(`${field} is no region name: ${JSON.stringify(name.slice(0, 40))}`);
  return region;
}

export function readIncarnation(reader: ByteReader): Incarnation {
  const counter = reader.u32();
  if (counter === 0) throw malformed('an incarnation counter is 0, least is 1');
  return { counter, nonce: reader.u32() };
}

export function readPartition(reader: ByteReader): number {
  return readUpTo(reader, 'partition', maxPartitions - 1);
}

/** Milliseconds since 1970, with their fractions. */
export function readTime(reader: ByteReader, field: string): number {
  const timeMs = reader.f64();
  if (!(timeMs >= 0 && timeMs <= maxTimeMs)) throw outside(field, maxTimeMs, timeMs);
  return timeMs;
}

/** An integer from 0 to `limit`, written as a variable one. */
export function readUpTo(reader: ByteReader, field: string, limit: number): number {
  const value = reader.varint();
  if (value > limit) throw outside(field, limit, value);
  return value;
}

/** Items are at least one byte each, so a count that lies runs into the end of the bytes and not of the memory. */
export function readMany<T>(reader: ByteReader, read: () => T): readonly T[] {
  const count = reader.varint();
  if (count > reader.remaining) throw malformed(`${count} items announced, ${reader.remaining} bytes left`);
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read());
  return items;
}

export function outside(field: string, limit: number, value: number): ReplicationError {
  return malformed(`${field} is ${value}, outside 0 to ${limit}`);
}

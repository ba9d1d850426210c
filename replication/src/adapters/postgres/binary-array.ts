/**
 * One-dimensional Postgres arrays in the binary wire format, as parameters. `pg` sends a Buffer as a binary parameter
 * untouched, which spares the escaping of its text arrays on the way out and the parsing of hexadecimal on the way
 * in. The element type must be the one that the statement casts the parameter to.
 */
import { assert } from '../../errors.ts';

const headerBytes = 20;
const lengthBytes = 4;
const tidBytes = 6;
const nullLength = -1;

const booleanOid = 16;
const byteaOid = 17;
const textOid = 25;
const tidOid = 27;

const tidPattern = /^\((\d+),(\d+)\)$/;

/** For `$n::text[]`. */
export function textArray(values: readonly (string | null)[]): Buffer {
  const lengths = values.map((value) => (value === null ? nullLength : Buffer.byteLength(value)));
  const array = allocate(textOid, lengths);
  let offset = headerBytes;
  for (const [index, value] of values.entries()) {
    offset = array.writeInt32BE(lengths[index] ?? nullLength, offset);
    if (value !== null) offset += array.write(value, offset);
  }
  return array;
}

/** For `$n::boolean[]`. */
export function booleanArray(values: readonly boolean[]): Buffer {
  const array = allocate(
    booleanOid,
    values.map(() => 1),
  );
  let offset = headerBytes;
  for (const value of values) {
    offset = array.writeInt32BE(1, offset);
    offset = array.writeUInt8(value ? 1 : 0, offset);
  }
  return array;
}

/** For `$n::bytea[]`. */
export function byteaArray(values: readonly Uint8Array[]): Buffer {
  const array = allocate(
    byteaOid,
    values.map((value) => value.length),
  );
  let offset = headerBytes;
  for (const value of values) {
    offset = array.writeInt32BE(value.length, offset);
    array.set(value, offset);
    offset += value.length;
  }
  return array;
}

/** For `$n::tid[]`, from tuple ids as Postgres prints them: `(block,offset)`. */
export function tidArray(values: readonly string[]): Buffer {
  const array = allocate(
    tidOid,
    values.map(() => tidBytes),
  );
  let offset = headerBytes;
  for (const value of values) {
    const match = tidPattern.exec(value);
    assert(match !== null, `not a tuple id: ${value}`);
    offset = array.writeInt32BE(tidBytes, offset);
    offset = array.writeUInt32BE(Number(match[1]), offset);
    offset = array.writeUInt16BE(Number(match[2]), offset);
  }
  return array;
}

function allocate(elementOid: number, lengths: readonly number[]): Buffer {
  let byteLength = headerBytes + lengths.length * lengthBytes;
  for (const length of lengths) byteLength += Math.max(0, length);
  const array = Buffer.allocUnsafe(byteLength);
  array.writeInt32BE(1, 0); // dimensions
  array.writeInt32BE(lengths.includes(nullLength) ? 1 : 0, 4); // nulls
  array.writeUInt32BE(elementOid, 8);
  array.writeInt32BE(lengths.length, 12);
  array.writeInt32BE(1, 16); // lower bound
  return array;
}

/**
 * Reads the columns of a row, which `pg` hands out untyped. A column of another type than the statement promises is
 * a bug of ours, so these assert. Integers of 64 bits come as text and must fit into a safe number, except offsets
 * and LSNs, which are bigints.
 */
import { assert } from '../../errors.ts';
import type { Lsn } from '../../ports/change.ts';
import { parseLsn } from './wal-message.ts';

export type Row = readonly unknown[];

export function textAt(row: Row, column: number): string {
  const value = row[column];
  assert(typeof value === 'string', `column ${column} is no text`);
  return value;
}

export function booleanAt(row: Row, column: number): boolean {
  const value = row[column];
  assert(typeof value === 'boolean', `column ${column} is no boolean`);
  return value;
}

export function bytesAt(row: Row, column: number): Uint8Array {
  const value = row[column];
  assert(value instanceof Uint8Array, `column ${column} is no bytea`);
  return value;
}

/** Of any numeric type, also those that `pg` leaves as text. */
export function numberAt(row: Row, column: number): number {
  const value = row[column];
  const number = typeof value === 'string' ? Number(value) : value;
  assert(typeof number === 'number' && Number.isFinite(number), `column ${column} is no number`);
  return number;
}

export function bigintAt(row: Row, column: number): bigint {
  return BigInt(textAt(row, column));
}

export function lsnAt(row: Row, column: number): Lsn {
  return parseLsn(textAt(row, column));
}

/** `null` where the column is null, else what `read` makes of it. */
export function nullableAt<T>(row: Row, column: number, read: (row: Row, column: number) => T): T | null {
  return row[column] === null ? null : read(row, column);
}

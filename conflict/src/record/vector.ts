/**
 * Payloads that only grow: a list of integers without zeros at its end, joined by the larger of each pair. The
 * join knows no meaning, so kinds of entries yet to come may use it too.
 */
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { malformed } from '../errors.ts';

export function readVector(bytes: Uint8Array, start: number, end: number): readonly number[] {
  const reader = new ByteReader(bytes, start);
  const values: number[] = [];
  while (reader.at < end) values.push(reader.integer());
  if (reader.at !== end || values.at(-1) === 0)
    throw malformed('a vector is not in its shortest form', start);
  return values;
}

export function encodeVector(values: readonly number[]): Uint8Array {
  const writer = new ByteWriter(values.length * 4 + 8);
  const length = values.findLastIndex((value) => value !== 0) + 1;
  for (const value of values.slice(0, length)) writer.integer(value);
  return writer.finish();
}

export function joinVectors(left: readonly number[], right: readonly number[]): readonly number[] {
  const [longer, shorter] = left.length >= right.length ? [left, right] : [right, left];
  return longer.map((value, index) => Math.max(value, shorter[index] ?? 0));
}

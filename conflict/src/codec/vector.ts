/**
 * The payload of a slot: numbers that only grow, in pairs of a value and its baseline, with trailing zeros left out.
 * A slot adds value minus baseline to what is read; a reset raises baselines, the actor's own operations raise values.
 */
import { malformed } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

export function vectorOf(payload: Uint8Array): readonly number[] {
  const reader = new ByteReader(payload);
  const vector: number[] = [];
  while (reader.remaining > 0) vector.push(reader.varint());
  if (vector.at(-1) === 0) throw malformed('vector not in its shortest form');
  return vector;
}

const writer = new ByteWriter(64);

export function vectorPayload(vector: readonly number[]): Uint8Array {
  writer.reset();
  let length = vector.length;
  while (length > 0 && vector[length - 1] === 0) length--;
  for (let index = 0; index < length; index++) writer.varint(vector[index] ?? 0);
  return writer.finish();
}

/** Nothing is left above the baselines. */
export function isExhausted(vector: readonly number[]): boolean {
  for (let index = 0; index < vector.length; index += 2) {
    if ((vector[index] ?? 0) > (vector[index + 1] ?? 0)) return false;
  }
  return true;
}

/** Every baseline raised to its value. */
export function exhausted(vector: readonly number[]): readonly number[] {
  return vector
    .map((value, index) => (index % 2 === 0 ? value : Math.max(value, vector[index - 1] ?? 0)))
    .concat(vector.length % 2 === 1 ? [vector.at(-1) ?? 0] : []);
}

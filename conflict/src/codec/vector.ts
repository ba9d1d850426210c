/**
 * The payload of a slot: numbers that only grow, in pairs of a value and its baseline, with trailing zeros left out.
 * A slot adds value minus baseline to what is read; a reset raises baselines, the actor's own operations raise values.
 */
import { checkForm } from '../refusal.ts';
import { beginReading, readNumber, remaining } from './byte-reader.ts';
import { writeNumber, written } from './byte-writer.ts';

export function vectorOf(payload: Uint8Array): readonly number[] {
  beginReading(payload);
  const vector: number[] = [];
  while (remaining() > 0) vector.push(readNumber());
  checkForm(vector.at(-1) !== 0, 'vector not in its shortest form');
  return vector;
}

export function vectorPayload(vector: readonly number[]): Uint8Array {
  const length = vector.findLastIndex((value) => value > 0) + 1;
  return written(() => vector.slice(0, length).forEach(writeNumber));
}

/** Number by number. */
export function sumOf(a: readonly number[], b: readonly number[]): readonly number[] {
  const longer = a.length > b.length ? a : b;
  return longer.map((_, index) => (a[index] ?? 0) + (b[index] ?? 0));
}

/** Nothing is left above the baselines. */
export function isExhausted(vector: readonly number[]): boolean {
  return vector.every((value, index) => index % 2 === 1 || value <= (vector[index + 1] ?? 0));
}

/** Every baseline raised to its value. */
export function exhausted(vector: readonly number[]): readonly number[] {
  return [...vector, 0].map((value, index) =>
    index % 2 === 1 ? Math.max(value, vector[index - 1] ?? 0) : value,
  );
}

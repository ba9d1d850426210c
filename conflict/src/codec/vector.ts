/**
 * The payload of a slot: numbers that only grow, in pairs of a value and its baseline, with trailing zeros left out.
 * A slot adds value minus baseline to what is read; a reset raises baselines, the actor's own operations raise values.
 */
import { beginReading, checkForm, readNumber, remaining } from './byte-reader.ts';
import { varint } from './varint.ts';

export type Vector = readonly number[];

export function vectorOf(payload: string): Vector {
  beginReading(payload);
  const vector: number[] = [];
  while (remaining() > 0) vector.push(readNumber());
  checkForm(vector.at(-1) !== 0);
  return vector;
}

export function vectorPayload(vector: Vector): string {
  const length = vector.findLastIndex((value) => value > 0) + 1;
  return vector.slice(0, length).map(varint).join('');
}

/** Number by number. */
export function sumOf(a: Vector, b: Vector): Vector {
  const longer = a.length > b.length ? a : b;
  return longer.map((_, index) => (a[index] ?? 0) + (b[index] ?? 0));
}

/** What raises every baseline to its value. */
export function restOf(vector: Vector): Vector {
  return [0, ...vector].map((value, index) =>
    index % 2 === 0 ? 0 : Math.max(0, value - (vector[index] ?? 0)),
  );
}

/** Nothing is left above the baselines. */
export function isExhausted(vector: Vector): boolean {
  return !hasRest(restOf(vector));
}

/** Whether any of these numbers is above 0. */
export function hasRest(rest: Vector): boolean {
  return rest.some((value) => value > 0);
}

/** What a slot of two values adds to what is read: the first counts for it and the second against it. */
export function balanceOf([given = 0, givenBefore = 0, used = 0, usedBefore = 0]: Vector): number {
  return given - givenBefore - (used - usedBefore);
}

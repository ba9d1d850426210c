/**
 * Of which lives a transfer may not have brought all that their regions show (P9): what lives before them had acknowledged
 * is in no log. A first life has none before it. Pure.
 */
import type { Life } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';

/** `given`: whose past came with it. */
export function ungivenLives(vector: Vector, given: readonly Life[]): Vector {
  return vector.filter(({ region, incarnation }) => {
    const past = given.find((life) => life.region === region);
    return incarnation.counter > (past?.incarnation.counter ?? 1);
  });
}

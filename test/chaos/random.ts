/** What is drawn besides plain numbers. */
import type { Random } from '@isthmus/loadtest/random';

/** Five seeds in a row take five different ones of a list of five. */
export function turnOf<const T>(seed: number, list: readonly [T, ...T[]]): T {
  return list[seed % list.length] ?? list[0];
}

export function between(next: Random, least: number, most: number): number {
  return least + next() * (most - least);
}

/** What is drawn besides plain numbers. */
import type { Random } from '@isthmus/loadtest/random';

export function between(next: Random, least: number, most: number): number {
  return least + next() * (most - least);
}

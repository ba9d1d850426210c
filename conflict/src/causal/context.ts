/**
 * What a state has seen, for all actors. A context grows and never shrinks; it is exact, so joining two of them never
 * claims a dot that neither had.
 */
import { covers, joinSeen, lastOf, nothingBeyond, seenOf } from './seen.ts';
import type { Seen } from './seen.ts';

/** Identity of one write to one record. Counters begin at 1. */
export interface Dot {
  readonly actor: string;
  readonly counter: number;
}

const nothing: Seen = { max: 0, beyond: nothingBeyond };

export class CausalContext {
  readonly #seen = new Map<string, Seen>();

  get actors(): readonly string[] {
    return [...this.#seen.keys()];
  }

  of(actor: string): Seen {
    return this.#seen.get(actor) ?? nothing;
  }

  has({ actor, counter }: Dot): boolean {
    return covers(this.of(actor), counter);
  }

  /** Highest counter seen of the actor; 0: none. */
  last(actor: string): number {
    return lastOf(this.of(actor));
  }

  add({ actor, counter }: Dot): void {
    this.join(actor, seenOf(0, [counter]));
  }

  join(actor: string, seen: Seen): void {
    if (lastOf(seen) > 0) this.#seen.set(actor, joinSeen(this.of(actor), seen));
  }

  joinAll(other: CausalContext): void {
    for (const [actor, seen] of other.#seen) this.join(actor, seen);
  }
}

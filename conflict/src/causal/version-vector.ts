/**
 * How far something has come for each actor: a map from actor to a counter or any other number that only grows. An
 * actor that is not named stands at 0. Vectors are compared pointwise; two of them may be incomparable.
 */
import { checkArgument, checkText, itemsOf, readFrom } from '../arguments.ts';
import { countersByVector, countersOf } from './vector-counters.ts';

/** Counters by actor that only grow. `from`, `join` and `meet` make new vectors; only `raise` changes one. */
export class VersionVector {
  readonly #counters = new Map<string, number>();

  /** An empty one: every actor stands at 0. */
  constructor() {
    countersByVector.set(this, this.#counters);
  }

  /**
   * A vector of these counters, the highest where an actor is named twice. Throws `invalid-argument` for what is no list
   * of pairs of an actor and a non-negative safe integer.
   */
  static from(entries: Iterable<readonly [string, number]>): VersionVector {
    const vector = new VersionVector();
    for (const entry of itemsOf(entries, 'entries')) {
      const [actor, counter] = readFrom(entry, 'entries', () => [entry[0], entry[1]] as const);
      vector.raise(actor, counter);
    }
    return vector;
  }

  /** The counter of an actor; 0 where it is not named. Throws `invalid-argument` where it is no string. */
  get(actor: string): number {
    checkText(actor, 'actor');
    return this.#counters.get(actor) ?? 0;
  }

  /**
   * Raises an actor to `counter`; a lower counter changes nothing. Throws `invalid-argument` where the actor is no string
   * or the counter no non-negative safe integer.
   */
  raise(actor: string, counter: number): void {
    checkText(actor, 'actor');
    checkArgument(Number.isSafeInteger(counter) && counter >= 0, 'counter', counter);
    if (counter > (this.#counters.get(actor) ?? 0)) this.#counters.set(actor, counter);
  }

  /** Pairs of actor and counter, sorted by actor; counters are above 0. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.#counters].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Whether no counter of `other` is above the one here. Throws `invalid-argument` for what is no vector. */
  covers(other: VersionVector): boolean {
    countersOf(other, 'other');
    for (const [actor, counter] of other.#counters) if (this.get(actor) < counter) return false;
    return true;
  }

  /** The pointwise greatest of both. Throws `invalid-argument` for what is no vector. */
  join(other: VersionVector): VersionVector {
    countersOf(other, 'other');
    return VersionVector.from([...this.#counters, ...other.#counters]);
  }

  /** The pointwise least of both. Throws `invalid-argument` for what is no vector. */
  meet(other: VersionVector): VersionVector {
    countersOf(other, 'other');
    const vector = new VersionVector();
    for (const [actor, counter] of this.#counters) vector.raise(actor, Math.min(counter, other.get(actor)));
    return vector;
  }
}

/**
 * The exact set of dots that a replica has seen of one record: for each actor the counters 1 to `max`, and above them
 * the runs that are not contiguous with it yet. It never claims a dot that it was not told of: after 1 and 3 it holds
 * 1 and the run 3 to 3, and 2 remains unseen. Whatever comes in is checked.
 */
import { checkArgument, checkText, isObject, itemsOf, readFrom } from '../arguments.ts';
import {
  covers,
  type Dot,
  hasSeen,
  joinSeen,
  lastOf,
  type Ranges,
  rangesOf,
  see,
  seeAll,
  type SeenOfActor,
  seenOfRanges,
} from './seen.ts';

/** Which writes were seen, exactly. Mutable, and a copy: changing what `contextOf` returned changes no record. */
export class CausalContext {
  #seen = new Map<string, Ranges>();

  static #check(value: unknown): void {
    checkArgument(isObject(value) && #seen in value, 'other', value);
  }

  /** Actors with at least one dot seen, in no particular order. */
  actors(): Iterable<string> {
    return this.#seen.keys();
  }

  /**
   * What was seen of an actor; of an unknown one nothing, which is no error. Throws `invalid-argument` for what is no
   * string.
   */
  seenOf(actor: string): SeenOfActor {
    checkText(actor, 'actor');
    return seenOfRanges(rangesOf(this.#seen, actor));
  }

  /** Whether this write was seen. Throws `invalid-argument` for what is no dot. */
  has(dot: Dot): boolean {
    return hasSeen(this.#seen, checkedDot(dot));
  }

  /** The highest counter seen of an actor, contiguous or not; 0 where none was. */
  last(actor: string): number {
    checkText(actor, 'actor');
    return lastOf(this.#seen, actor);
  }

  /** Adds one dot. Throws `invalid-argument` where its counter is no positive safe integer. */
  add(dot: Dot): void {
    const { actor, counter } = checkedDot(dot);
    this.addRun(actor, counter, counter);
  }

  /**
   * Adds the counters `first` to `last` of an actor; `last` below `first` adds nothing. Throws `invalid-argument` where
   * one of them is no safe integer or `first` is below 1.
   */
  addRun(actor: string, first: number, last: number): void {
    const isFirst = Number.isSafeInteger(first) && first > 0;
    checkArgument(isFirst && Number.isSafeInteger(last), 'counter', isFirst ? last : first);
    if (last < first) return;
    checkText(actor, 'actor');
    see(this.#seen, actor, [first, last]);
  }

  /**
   * Adds many dots in one pass over what is known; their counters are not checked. Throws `invalid-argument` for what is
   * no list of dots.
   */
  addAll(dots: Iterable<Dot>): void {
    seeAll(this.#seen, itemsOf(dots, 'dots').map(checkedDot));
  }

  /**
   * Adds what was seen of an actor elsewhere; the counters are not checked. Throws `invalid-argument` for what is not of
   * its kind.
   */
  addSeen(actor: string, seen: SeenOfActor): void {
    const { max, runs } = checkedSeen(seen);
    checkText(actor, 'actor');
    if (max > 0) see(this.#seen, actor, [1, max]);
    if (runs.length > 0) see(this.#seen, actor, runs);
  }

  /** Adds everything that `other` has seen. Throws `invalid-argument` for what is no context. */
  merge(other: CausalContext): void {
    CausalContext.#check(other);
    this.#seen = joinSeen(this.#seen, other.#seen);
  }

  /** Whether every dot of `other` has been seen here. Throws `invalid-argument` for what is no context. */
  covers(other: CausalContext): boolean {
    CausalContext.#check(other);
    return covers(this.#seen, other.#seen);
  }

  /** Whether both have seen the same dots. Throws `invalid-argument` for what is no context. */
  equals(other: CausalContext): boolean {
    return this.covers(other) && other.covers(this);
  }

  /** A copy that changes apart from this one. */
  clone(): CausalContext {
    const copy = new CausalContext();
    copy.#seen = new Map(this.#seen);
    return copy;
  }
}

function checkedDot(dot: Dot): Dot {
  checkArgument(isObject(dot), 'dot', dot);
  const { actor, counter } = readFrom(dot, 'dot', () => ({ actor: dot.actor, counter: dot.counter }));
  checkText(actor, 'actor');
  checkArgument(typeof counter === 'number', 'counter', counter);
  return { actor, counter };
}

function checkedSeen(seen: SeenOfActor): SeenOfActor {
  const { max, runs } = readFrom(seen, 'seen', () => ({ max: seen.max, runs: [...seen.runs] }));
  checkArgument(typeof max === 'number', 'max', max);
  for (const bound of runs) checkArgument(typeof bound === 'number', 'runs', bound);
  return { max, runs };
}

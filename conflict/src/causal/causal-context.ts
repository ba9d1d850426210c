/**
 * The exact set of dots that a replica has seen of one record: for each actor the counters 1 to `max`, and above them
 * the runs that are not contiguous with it yet. It never claims a dot that it was not told of: after 1 and 3 it holds
 * 1 and the run 3 to 3, and 2 remains unseen. (Version vectors with exceptions, in the compact form of Almeida et al.,
 * "Scalable and Accurate Causality Tracking", 2014.)
 */
import { checkText, itemsOf, readFrom, unfit } from '../arguments.ts';

/** The identity of one write to one record. */
export interface Dot {
  /** Who wrote: 1 to 64 bytes of UTF-8. */
  readonly actor: string;
  /** From 1 upwards, contiguous for each record and actor. */
  readonly counter: number;
}

/** The counters of one actor that were seen. */
export interface SeenOfActor {
  /** All counters from 1 to this one were seen; 0 where the first was not. */
  readonly max: number;
  /**
   * What was seen above `max`: pairs of first and last counter, ascending, with at least one unseen counter between
   * neighbours.
   */
  readonly runs: readonly number[];
}

const nothing: SeenOfActor = { max: 0, runs: [] };

let isContext: (value: object) => boolean;

function checkContext(value: unknown): void {
  const isOne = typeof value === 'object' && value !== null && isContext(value);
  if (!isOne) throw unfit('other', 'a CausalContext', value);
}

/** Which writes were seen, exactly. Mutable, and a copy: changing what `contextOf` returned changes no record. */
export class CausalContext {
  readonly #actors = new Map<string, SeenOfActor>();

  static {
    isContext = (value) => #actors in value;
  }

  /** Actors with at least one dot seen, in no particular order. */
  actors(): Iterable<string> {
    return this.#actors.keys();
  }

  /**
   * What was seen of an actor; of an unknown one nothing, which is no error. Throws `invalid-argument` for what is no
   * string.
   */
  seenOf(actor: string): SeenOfActor {
    checkText(actor, 'actor');
    return this.#actors.get(actor) ?? nothing;
  }

  /** Whether this write was seen. Throws `invalid-argument` for what is no dot. */
  has(dot: Dot): boolean {
    const { actor, counter } = checkedDot(dot);
    const { max, runs } = this.seenOf(actor);
    if (counter <= max) return counter > 0;
    const index = runIndex(runs, counter);
    return index < runs.length && counter >= (runs[index] ?? 0);
  }

  /** The highest counter seen of an actor, contiguous or not; 0 where none was. */
  last(actor: string): number {
    const { max, runs } = this.seenOf(actor);
    return runs.at(-1) ?? max;
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
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(last) || first < 1) {
      throw unfit(
        'counter',
        'a positive safe integer',
        Number.isSafeInteger(first) && first > 0 ? last : first,
      );
    }
    if (last >= first) this.#add(actor, { max: 0, runs: [first, last] });
  }

  /**
   * Adds many dots in one pass over what is known; their counters are not checked. Throws `invalid-argument` for what is
   * no list of dots.
   */
  addAll(dots: Iterable<Dot>): void {
    const counters = new Map<string, number[]>();
    for (const dot of itemsOf(dots, 'dots')) {
      const { actor, counter } = checkedDot(dot);
      const list = counters.get(actor);
      if (list === undefined) counters.set(actor, [counter]);
      else list.push(counter);
    }
    for (const [actor, list] of counters) this.#add(actor, { max: 0, runs: runsOf(list) });
  }

  /**
   * Adds what was seen of an actor elsewhere; the counters are not checked. Throws `invalid-argument` for what is not of
   * its kind.
   */
  addSeen(actor: string, seen: SeenOfActor): void {
    this.#add(actor, checkedSeen(seen));
  }

  #add(actor: string, seen: SeenOfActor): void {
    const union = unionOf(this.seenOf(actor), seen);
    if (union.max > 0 || union.runs.length > 0) this.#actors.set(actor, union);
  }

  /** Adds everything that `other` has seen. Throws `invalid-argument` for what is no context. */
  merge(other: CausalContext): void {
    checkContext(other);
    for (const [actor, seen] of other.#actors) this.#add(actor, seen);
  }

  /** Whether every dot of `other` has been seen here. */
  covers(other: CausalContext): boolean {
    const union = this.clone();
    union.merge(other);
    return union.equals(this);
  }

  /** Whether both have seen the same dots. Throws `invalid-argument` for what is no context. */
  equals(other: CausalContext): boolean {
    checkContext(other);
    if (this.#actors.size !== other.#actors.size) return false;
    for (const [actor, { max, runs }] of this.#actors) {
      const theirs = other.seenOf(actor);
      if (theirs.max !== max || theirs.runs.length !== runs.length) return false;
      if (!runs.every((bound, index) => bound === theirs.runs[index])) return false;
    }
    return true;
  }

  /** A copy that changes apart from this one. */
  clone(): CausalContext {
    const copy = new CausalContext();
    for (const [actor, seen] of this.#actors) copy.#actors.set(actor, seen);
    return copy;
  }
}

/** Called for every entry that is decoded, so without a closure. */
function checkedDot(dot: Dot): Dot {
  if (typeof dot !== 'object' || dot === null) throw unfit('dot', 'an object {actor, counter}', dot);
  let given: Dot | null = null;
  try {
    given = { actor: dot.actor, counter: dot.counter };
  } catch (cause) {
    return readFrom(dot, 'dot', () => {
      throw cause;
    });
  }
  checkText(given.actor, 'actor');
  if (typeof given.counter !== 'number') throw unfit('counter', 'a positive safe integer', given.counter);
  return given;
}

function checkedSeen(seen: SeenOfActor): SeenOfActor {
  const { max, runs } = readFrom(seen, 'seen', () => ({ max: seen.max, runs: [...seen.runs] }));
  if (typeof max !== 'number') throw unfit('max', 'a counter', max);
  const odd = runs.find((bound) => typeof bound !== 'number');
  if (odd !== undefined) throw unfit('runs', 'counters', odd);
  return { max, runs };
}

/** The fewest runs that hold these counters, which are sorted on the way. */
function runsOf(counters: number[]): readonly number[] {
  const runs: number[] = [];
  if (counters.length > 1) counters.sort((a, b) => a - b);
  for (const counter of counters) {
    const end = runs.length - 1;
    if (end > 0 && counter <= (runs[end] ?? 0) + 1) runs[end] = counter;
    else runs.push(counter, counter);
  }
  return runs;
}

/** The first run that does not end below `counter`. */
function runIndex(runs: readonly number[], counter: number): number {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[2 * middle + 1] ?? 0) < counter) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** The union in its one form, in one pass over both lists of runs. */
function unionOf(a: SeenOfActor, b: SeenOfActor): SeenOfActor {
  let max = Math.max(a.max, b.max);
  const runs: number[] = [];
  let left = 0;
  let right = 0;
  while (left < a.runs.length || right < b.runs.length) {
    const fromLeft = (a.runs[left] ?? Infinity) <= (b.runs[right] ?? Infinity);
    const low = (fromLeft ? a.runs[left] : b.runs[right]) ?? 0;
    const high = (fromLeft ? a.runs[left + 1] : b.runs[right + 1]) ?? 0;
    if (fromLeft) left += 2;
    else right += 2;
    const top = runs.at(-1) ?? max;
    if (low > top + 1) runs.push(low, high);
    else if (runs.length === 0) max = Math.max(max, high);
    else runs[runs.length - 1] = Math.max(top, high);
  }
  return { max, runs };
}

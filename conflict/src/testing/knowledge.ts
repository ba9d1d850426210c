/**
 * What one replica of the model knows: a set of facts that only grows, sorted by kind for convenience. What is left
 * of it, the writes that nobody has seen go and the increments that nobody has reset, is computed anew on every
 * question. Learning facts in any order, or twice, makes no difference, because a set has no order.
 */
import {
  type Account,
  type Booking,
  cancelled,
  type Closed,
  type Fact,
  gone,
  type Increment,
  isLater,
  sameAccount,
  samePath,
  type Settled,
  type Time,
  type Typed,
  type Write,
} from './fact.ts';
import type { Names } from './operation.ts';

/** What one replica of the model knows. */
export class Knowledge {
  readonly #facts = new Set<Fact>();
  #writes: Write[] = [];
  readonly #increments: Increment[] = [];
  readonly #typed: Typed[] = [];
  readonly #bookings: (Booking | Settled | Closed)[] = [];

  /** Knows the given facts. */
  constructor(facts: Iterable<Fact> = []) {
    this.learn(facts);
  }

  /** All that is known. */
  get facts(): ReadonlySet<Fact> {
    return this.#facts;
  }

  /** Whether anything was new. */
  learn(facts: Iterable<Fact>): boolean {
    const before = this.#facts.size;
    for (const fact of facts) if (!this.#facts.has(fact)) this.#add(fact);
    return this.#facts.size > before;
  }

  /** Whether none of these would be new. */
  knows(facts: Iterable<Fact>): boolean {
    for (const fact of facts) if (!this.#facts.has(fact)) return false;
    return true;
  }

  #add(fact: Fact): void {
    this.#facts.add(fact);
    if (fact.kind === 'write') this.#writes.push(fact);
    else if (fact.kind === 'increment') this.#increments.push(fact);
    else if (fact.kind === 'typed') this.#typed.push(fact);
    else if (fact.kind === 'booking' || fact.kind === 'settled' || fact.kind === 'closed')
      this.#bookings.push(fact);
  }

  /** What was written and, as far as is known, not seen to go. */
  writes(): readonly Write[] {
    this.#writes = this.#writes.filter((write) => !this.#facts.has(gone(write)));
    return this.#writes;
  }

  /**
   * Of these, what counts for what is shown: who writes at a place again has seen what was there go, so of one actor
   * only the latest write counts, also where the news of what made the earlier one go has not arrived.
   */
  current(): readonly Write[] {
    const latest = new Map<string, Write>();
    for (const write of this.writes()) {
      const other = latest.get(write.slot);
      if (other === undefined || other.sequence < write.sequence) latest.set(write.slot, write);
    }
    return [...latest.values()];
  }

  /** Writes at exactly this path that nobody has seen go. */
  writesAt(path: Names): readonly Write[] {
    return this.writes().filter((write) => samePath(write.path, path));
  }

  /** Writes at exactly this path that count. */
  currentAt(path: Names): readonly Write[] {
    return this.current().filter((write) => samePath(write.path, path));
  }

  /** Increments of all actors, those that were reset too. */
  increments(): readonly Increment[] {
    return this.#increments;
  }

  /** Whether no reset has seen the increment. */
  isOpen(increment: Increment): boolean {
    return !this.#facts.has(cancelled(increment));
  }

  /** What was typed into and erased from the text at a path, edit by edit. */
  typedAt(path: Names): readonly Typed[] {
    return this.#typed.filter((typed) => samePath(typed.path, path));
  }

  /** Whether the actor edited after a number, as far as is known. */
  knowsEditOf(actor: string, after: number): boolean {
    const isOne = (fact: Fact) => fact.kind === 'happened' && fact.actor === actor && fact.sequence > after;
    return [...this.#facts].some(isOne);
  }

  /** Every account that was ever opened and not closed, once. */
  accounts(): readonly Account[] {
    const found: Account[] = [];
    for (const { account } of this.#bookings) {
      if (!found.some((each) => sameAccount(each, account))) found.push(account);
    }
    return found.filter((account) => this.lifeOf(account) > 0);
  }

  /** What was booked on an account in its latest life. */
  bookingsOf(account: Account): readonly (Booking | Settled | Closed)[] {
    return this.#bookings.filter((each) => sameAccount(each.account, account));
  }

  /** The latest life of an account; 0 where it has none that was not collected. */
  lifeOf(account: Account): number {
    let latest = 0;
    let closed = 0;
    for (const each of this.bookingsOf(account)) {
      if (each.kind === 'closed') closed = Math.max(closed, each.life);
      else latest = Math.max(latest, each.life);
    }
    return latest > closed ? latest : 0;
  }

  /** The deletion that hides what was written before it, in collections in which the last writer wins. */
  deletion(): Write | null {
    let latest: Write | null = null;
    for (const write of this.writes()) {
      if (write.of === 'deletion' && (latest === null || isLater(write, latest))) latest = write;
    }
    return latest;
  }

  /** Whether a later deletion hides the write. */
  isHidden(write: Write): boolean {
    const deletion = this.deletion();
    return deletion !== null && write.time !== null && isLater(deletion, write);
  }

  /** The time given, or just after the latest that is known, or just after a millisecond, whichever is latest. */
  timeAfter(now: number, floorMs = 0): Time {
    let [ms, logical]: Time = [now, -1];
    for (const { time } of this.writes()) {
      if (time === null || time[0] < ms) continue;
      logical = time[0] > ms ? time[1] : Math.max(logical, time[1]);
      ms = time[0];
    }
    if (floorMs > 0 && floorMs >= ms) return [floorMs + 1, 0];
    return logical < 0xffff ? [ms, logical + 1] : [ms + 1, 0];
  }
}

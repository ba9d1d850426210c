/**
 * Knows how far every member of a group has come, and from that what is stable: seen by all, with nothing under way
 * that has not seen it. The horizon is such a cut; it only grows. It moves when all reports agree that everything
 * which any member has written is known to every member. A member that is away holds it back until it is evicted;
 * an evicted one is fenced: it is taken back only when it has seen the horizon, because below it what deletes leave
 * behind is gone and its old writes would come back to life. (Causal stability: Baquero, Almeida, Shoker, "Making
 * Operation-Based CRDTs Operation-Based", 2014.)
 */
import { ConflictError } from '../errors.ts';
import { VersionVector } from './version-vector.ts';

/**
 * What became of a report. `below-horizon`: the reporter has missed what was collected, and has to load the current
 * states before it can be a member again.
 */
export type Observed = 'observed' | 'unknown-member' | 'below-horizon';

/** What all members of a group have seen, from their reports. */
export class StabilityTracker {
  readonly #seen = new Map<string, VersionVector>();
  #horizon = new VersionVector();

  /** Members are named by the actor under which they write. */
  constructor(members: Iterable<string>) {
    for (const member of members) this.#seen.set(member, new VersionVector());
  }

  /** What every member has seen, with nothing under way below it. */
  get horizon(): VersionVector {
    return this.#horizon;
  }

  /** The members that are waited for, sorted by name. */
  members(): readonly string[] {
    return [...this.#seen.keys()].toSorted();
  }

  /** A member's report of all that it has seen, its own writes included. Reports only grow. */
  observe(member: string, seen: VersionVector): Observed {
    const known = this.#seen.get(member);
    if (known === undefined) return 'unknown-member';
    if (!seen.covers(this.#horizon)) return 'below-horizon';
    this.#seen.set(member, known.join(seen));
    this.#advance();
    return 'observed';
  }

  /** Stops waiting for a member. */
  evict(member: string): void {
    if (this.#seen.delete(member)) this.#advance();
  }

  /** Takes in a member, new or evicted before, that has seen the horizon. */
  admit(member: string, seen: VersionVector): Observed {
    if (!seen.covers(this.#horizon)) return 'below-horizon';
    this.#seen.set(member, (this.#seen.get(member) ?? new VersionVector()).join(seen));
    return 'observed';
  }

  #advance(): void {
    const [first, ...others] = this.#seen.values();
    if (first === undefined) return;
    const common = others.reduce((meet, seen) => meet.meet(seen), first);
    for (const [member, seen] of this.#seen) if (seen.get(member) > common.get(member)) return;
    this.#horizon = this.#horizon.join(common);
  }
}

/** Throws `below-horizon` where the sender of a delta has not seen the horizon. */
export function checkFence(senderSaw: VersionVector, horizon: VersionVector): void {
  for (const [actor, counter] of horizon.entries()) {
    if (senderSaw.get(actor) >= counter) continue;
    const message = `the sender has seen ${senderSaw.get(actor)} of ${actor}, the horizon stands at ${counter}`;
    throw new ConflictError('below-horizon', message, {
      rule: 'fence',
      limit: counter,
      value: senderSaw.get(actor),
    });
  }
}

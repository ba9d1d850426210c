/**
 * Knows how far every member of a group has come, and from that what is stable: seen by all, with nothing under way
 * that has not seen it. The horizon is such a cut; it only grows. It moves when the last reports of all members are
 * equal, actor by actor: then everything that anybody knows is known to everybody, and whatever a member writes from
 * then on has seen it. Only members write, so a writer is admitted under its name before its first write. A member that
 * is away holds the horizon back until it is evicted; then all others have to report anew, because what they took from
 * it after their last report may not have seen what they reported. An evicted one is fenced: it is taken back only when
 * it has seen the horizon, because below it what deletes leave behind is gone and its old writes would come back to
 * life. (Causal stability: Baquero, Almeida, Shoker, "Making Operation-Based CRDTs Operation-Based", 2014.)
 */
import { checkText, textsOf } from '../arguments.ts';
import { refusal } from '../refusal.ts';
import { countersOf } from './vector-counters.ts';
import { VersionVector } from './version-vector.ts';

/**
 * What became of a report. `below-horizon`: the reporter has missed what was collected, and has to load the current
 * states before it can be a member again. `unknown-actor`: it has seen writes of somebody who never was a member.
 * Only what was `observed` counts.
 */
export type Observed = 'observed' | 'unknown-member' | 'unknown-actor' | 'below-horizon';

/** What all members of a group have seen, from their reports. */
export class StabilityTracker {
  /** The last report of each member; `null` where it has to report anew. */
  readonly #reports = new Map<string, VersionVector | null>();
  readonly #seen = new Map<string, VersionVector>();
  /** All who write or ever wrote. */
  readonly #actors = new Set<string>();
  #horizon = new VersionVector();

  /**
   * Members are named by the actor under which they write; `former` are actors that wrote before and never will again.
   * Throws `invalid-argument` where one of them is no list of strings.
   */
  constructor(members: Iterable<string>, former: Iterable<string> = []) {
    for (const member of textsOf(members, 'members')) this.#join(member, new VersionVector());
    for (const actor of textsOf(former, 'former')) this.#actors.add(actor);
  }

  /** What every member has seen, with nothing under way below it; a copy. */
  get horizon(): VersionVector {
    return this.#horizon.join(new VersionVector());
  }

  /** Names of the members, sorted. */
  members(): readonly string[] {
    return [...this.#reports.keys()].toSorted();
  }

  /**
   * A member's report of all that it has seen, its own writes included. Reports only grow. After an eviction a report
   * is also the promise to take nothing of the evicted any more but what passes `checkFence`. Throws `invalid-argument`
   * where the member is no string or what it has seen no vector.
   */
  observe(member: string, seen: VersionVector): Observed {
    checkText(member, 'member');
    countersOf(seen, 'seen');
    const known = this.#seen.get(member);
    if (known === undefined) return 'unknown-member';
    const refused = this.#refusal(seen);
    if (refused !== null) return refused;
    this.#join(member, known.join(seen));
    this.#advance();
    return 'observed';
  }

  /**
   * Stops waiting for a member; the horizon waits until all others have reported again. Throws `invalid-argument` for
   * what is no string.
   */
  evict(member: string): void {
    checkText(member, 'member');
    if (!this.#reports.delete(member)) return;
    this.#seen.delete(member);
    for (const other of this.#reports.keys()) this.#reports.set(other, null);
  }

  /** Takes in a member, new or evicted before, that has seen the horizon. Throws what `observe` throws. */
  admit(member: string, seen: VersionVector): Observed {
    checkText(member, 'member');
    countersOf(seen, 'seen');
    const refused = this.#refusal(seen, member);
    if (refused !== null) return refused;
    this.#join(member, (this.#seen.get(member) ?? new VersionVector()).join(seen));
    return 'observed';
  }

  #join(member: string, seen: VersionVector): void {
    this.#actors.add(member);
    this.#seen.set(member, seen);
    this.#reports.set(member, seen);
  }

  #refusal(seen: VersionVector, admitted: string | null = null): Observed | null {
    if (!seen.covers(this.#horizon)) return 'below-horizon';
    const isKnown = ([actor]: readonly [string, number]) => actor === admitted || this.#actors.has(actor);
    return seen.entries().every(isKnown) ? null : 'unknown-actor';
  }

  #advance(): void {
    const [first, ...others] = this.#reports.values();
    if (first === undefined || first === null) return;
    const isFirst = (report: VersionVector | null) =>
      report !== null && report.covers(first) && first.covers(report);
    if (others.every(isFirst)) this.#horizon = this.#horizon.join(first);
  }
}

/**
 * Throws `below-horizon` where the sender of a delta has not seen the horizon, `invalid-argument` for what is no vector.
 */
export function checkFence(senderSaw: VersionVector, horizon: VersionVector): void {
  countersOf(senderSaw, 'senderSaw');
  countersOf(horizon, 'horizon');
  for (const [actor, counter] of horizon.entries()) {
    if (senderSaw.get(actor) >= counter) continue;
    throw refusal('below-horizon', { rule: 'fence', limit: counter, value: senderSaw.get(actor) });
  }
}

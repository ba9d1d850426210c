/**
 * Counts how often a campaign came by the situations that are worth testing. A situation that never came up was not
 * tested, whatever the number of steps; the command that runs campaigns fails then.
 */

/** The situations that a campaign has to come by, in words. */
export const sights = [
  'edit',
  'merge',
  'merge that changed nothing',
  'delta out of order',
  'delta repeated',
  'message lost',
  'delta sent again after a loss',
  'deltas joined before delivery',
  'delta joined with a state',
  'state sent',
  'later write before what it overwrote went',
  'part of the deltas',
  'conflict shown',
  'value chosen by a resolver',
  'delete',
  'delete beside a concurrent update',
  'record hidden by a later delete',
  'record created again',
  'collection',
  'collection by some',
  'record collected',
  'barrier',
  'purge',
  'purge beside a new life',
  'delete of what is stable',
  'record dropped by some',
  'record dropped beside a new life',
  'creation above a floor',
  'record created again while others hold the old one',
  'record created again where others have dropped it',
  'text created again while others hold its remains',
  'created again by a clock behind',
  'slot begun anew',
  'rights moved',
  'rights refused',
  'debt forgiven',
  'removal beats an addition',
  'four maps deep',
  'text compared',
  'text written before its past arrived',
  'actor changed',
  'clock behind',
  'clock far ahead',
  'six replicas',
] as const;

/** One of these situations. */
export type Sight = (typeof sights)[number];

/** How often each situation was come by. */
export class Coverage {
  readonly #counts = new Map<Sight, number>(sights.map((sight) => [sight, 0]));

  /** Counts a situation once more, if it is seen. */
  note(sight: Sight, isSeen = true): void {
    if (isSeen) this.#counts.set(sight, this.of(sight) + 1);
  }

  /** How often the situation was seen; 0 where never. */
  of(sight: Sight): number {
    return this.#counts.get(sight) ?? 0;
  }

  /** Adds the counts of another campaign. */
  add(other: Coverage): void {
    for (const sight of sights) this.#counts.set(sight, this.of(sight) + other.of(sight));
  }

  /** Every situation with its count, those never seen too. */
  counts(): readonly (readonly [Sight, number])[] {
    return [...this.#counts];
  }
}

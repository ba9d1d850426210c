/**
 * The truth about one direction: which acknowledged inserts of an origin a target does not have. It is read from the
 * target's table of records and from what clients were told, and from nothing that the engine says about itself.
 */

export interface Insert {
  readonly key: string;
  readonly invokedAtMs: number;
  readonly ackedAtMs: number;
}

/** Reads which of these keys are there. */
export type Present = (keys: readonly string[]) => Promise<ReadonlySet<string>>;

/** So many of the oldest are asked for at once. */
const askedAtOnce = 400;
const keptMs = 10_000;

export class Missing {
  /** In the order of their acknowledgements. */
  #waiting: Insert[] = [];
  #absentCount = 0;
  /** By the moment at which it was seen; the oldest first. */
  #reached: { readonly seenMs: number; readonly reachedMs: number }[] = [];

  add(insert: Insert): void {
    this.#waiting.push(insert);
  }

  /** Those that may be missing; oldest first. */
  get inserts(): readonly Insert[] {
    return this.#waiting;
  }

  /** The oldest of them, which were looked for and were not there. */
  get absent(): readonly Insert[] {
    return this.#waiting.slice(0, this.#absentCount);
  }

  /** Everything that was acknowledged before this moment was seen to be there so long ago. */
  reachedMs(agoMs: number): number {
    const untilMs = performance.now() - agoMs;
    return this.#reached.findLast(({ seenMs }) => seenMs <= untilMs)?.reachedMs ?? 0;
  }

  async look(present: Present): Promise<void> {
    for (;;) {
      this.#absentCount = 0;
      const asked = this.#waiting.slice(0, askedAtOnce);
      if (asked.length === 0) return;
      const found = await present(asked.map(({ key }) => key));
      const oldest = asked.find(({ key }) => !found.has(key));
      const reached = asked.filter(({ key }) => found.has(key));
      this.#reach(oldest?.invokedAtMs ?? reached.at(-1)?.invokedAtMs ?? 0);
      this.#waiting = this.#waiting.filter(({ key }) => !found.has(key));
      this.#absentCount = asked.length - reached.length;
      if (oldest !== undefined) return;
    }
  }

  #reach(foundMs: number): void {
    const reachedMs = Math.max(this.#reached.at(-1)?.reachedMs ?? 0, foundMs);
    const seenMs = performance.now();
    const kept = this.#reached.filter((each) => each.seenMs > seenMs - keptMs);
    this.#reached = [...kept, { seenMs, reachedMs }];
  }
}

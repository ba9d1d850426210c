/**
 * How long a busy region rests between two publishes. Each costs the relay, the log and every peer much the same
 * whatever is in it, so where many changes come and the process has no time to spare, a little patience gathers enough
 * of them to pay for it. Nobody waits for company that does not come.
 */

/** So many changes gathered in a pause are worth it; below, those few would only be later. */
const worthGathering = 25;
/** As many changes in one publish have made up for its price. */
const enough = 200;
/** A burst is no succession: only what has come for about so long counts. */
const rememberedMs = 1000;

export class PublishPace {
  readonly #paceMs: () => number;
  #endedMs = -Infinity;
  #changes = 0;
  /** Changes a millisecond. */
  #rate = 0;

  /** `paceMs`: how long a process as busy as this one rests where a rest pays, milliseconds. */
  constructor(paceMs: () => number) {
    this.#paceMs = paceMs;
  }

  /** The log holds a publish; moments are monotonic milliseconds. */
  ended(changes: number, nowMs: number): void {
    const passedMs = Math.max(1, nowMs - this.#endedMs);
    const weight = Math.min(1, passedMs / rememberedMs);
    this.#rate += (changes / passedMs - this.#rate) * weight;
    this.#changes = changes;
    this.#endedMs = nowMs;
  }

  /** Milliseconds until the next one should begin. */
  leftMs(nowMs: number): number {
    if (this.#changes >= enough) return 0;
    const restMs = this.#paceMs();
    if (this.#rate * restMs < worthGathering) return 0;
    return Math.max(0, this.#endedMs + restMs - nowMs);
  }
}

/**
 * How far apart the publishes of a busy region begin. Each costs the relay, the log and every peer much the same
 * whatever is in it, so where many changes come and the process has no time to spare, a little patience gathers enough
 * of them to pay for it. Nobody waits for company that does not come.
 */

/** So many changes gathered in a pause are worth it; below, those few would only be later. */
const worthGathering = 25;
/** As many changes in one publish have made up for its price. */
const enough = 200;
/** What came a second ago says little of what comes now. */
const rememberedMs = 250;

export class PublishPace {
  readonly #paceMs: () => number;
  #begunMs = -Infinity;
  #changes = 0;
  /** Changes a millisecond. */
  #rate = 0;

  /** `paceMs`: how far apart a process as busy as this one should begin what has a price of its own, milliseconds. */
  constructor(paceMs: () => number) {
    this.#paceMs = paceMs;
  }

  /** A publish begins; moments are monotonic milliseconds. */
  begun(changes: number, nowMs: number): void {
    const passedMs = Math.max(1, nowMs - this.#begunMs);
    const weight = Math.min(1, passedMs / rememberedMs);
    this.#rate += (changes / passedMs - this.#rate) * weight;
    this.#changes = changes;
    this.#begunMs = nowMs;
  }

  /** Milliseconds until the next one should begin. */
  leftMs(nowMs: number): number {
    if (this.#changes >= enough) return 0;
    const apartMs = this.#paceMs();
    if (this.#rate * apartMs < worthGathering) return 0;
    return Math.max(0, this.#begunMs + apartMs - nowMs);
  }
}

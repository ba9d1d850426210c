/**
 * By how much the clock of the region's database was set back between two of its beats, as their writer can tell (P7).
 * Each beat stores the total, so that the clock plus that total is one that never goes back. It is compared with the
 * writer's monotonic clock, over the time since a beat whose moment is well known: while a database stands still its
 * clock may be set back by less than it stood, which leaves nothing to see at the two beats alone.
 */

/** What the clock, as if it had never been set back, shows at the next beat; by milliseconds since 1970. */
export interface BeatBounds {
  /** Less means that the clock was set back; `null`: this process has written no beat, so only what lies before the last one shows. */
  readonly leastMs: number | null;
  /** What it is taken to show then; `null`: nobody knows how much time has passed. */
  readonly mostMs: number | null;
  /**
   * No more time than this has passed since the last beat. It counts where that one lies beyond `mostMs`: the clock had been
   * set ahead by then, which its writer does not know, because another process wrote it or because no answer came.
   */
  readonly passedMs: number | null;
}

/** A beat between its sending and its answer, by the monotonic clock. */
interface BeatReading {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** By the clock as if it had never been set back. */
  readonly unsetMs: number;
}

/** A beat that was answered within this was written at a moment that is well known. */
const soonMs = 100;
/**
 * What a beat may take to arrive beyond that is what the one before it took, up to this: ages that are told too high by so
 * much are no lie (P7).
 */
const mostWaitMs = 1000;
/** What the two clocks may differ by without one of them having been set: at once, and as a part of the time since. */
const readingErrorMs = 20;
const driftRate = 5e-4;
/** So that what clocks may drift apart stays small beside what is set. */
const anchoredForMs = 600_000;

/** Of one process. */
export class BeatClock {
  readonly #monotonicMs: () => number;
  /** The last beat of which it is well known when it was written. */
  #anchor: BeatReading | null = null;
  /** The last beat that was answered, when it was sent; whatever was written since is younger. */
  #lastSentAtMs = 0;
  /** What it took to be answered. */
  #waitMs = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** `write` writes a beat within these bounds, and resolves with the database's clock as if it had never been set back. */
  async beat(write: (bounds: BeatBounds) => Promise<number>): Promise<void> {
    const sentAtMs = this.#monotonicMs();
    const unsetMs = await write(this.#bounds(sentAtMs));
    this.#note({ sentAtMs, answeredAtMs: this.#monotonicMs(), unsetMs });
  }

  #bounds(sentAtMs: number): BeatBounds {
    const anchor = this.#anchor;
    if (anchor === null) return { leastMs: null, mostMs: null, passedMs: null };
    const leastPassedMs = sentAtMs - anchor.answeredAtMs;
    const untilWrittenMs = soonMs + Math.min(this.#waitMs, mostWaitMs);
    return {
      leastMs: anchor.unsetMs + leastPassedMs * (1 - driftRate) - readingErrorMs,
      mostMs: anchor.unsetMs + (sentAtMs - anchor.sentAtMs) + untilWrittenMs,
      passedMs: sentAtMs - this.#lastSentAtMs + untilWrittenMs,
    };
  }

  /** One that waited says little of its moment, so the one before goes on counting: the next beat shows what it hid. */
  #note(beat: BeatReading): void {
    const anchor = this.#anchor;
    this.#waitMs = widthOf(beat);
    this.#lastSentAtMs = beat.sentAtMs;
    const isOld = anchor !== null && beat.sentAtMs - anchor.sentAtMs > anchoredForMs;
    if (anchor === null || isOld || widthOf(beat) <= Math.max(soonMs, widthOf(anchor))) this.#anchor = beat;
  }
}

function widthOf({ sentAtMs, answeredAtMs }: BeatReading): number {
  return answeredAtMs - sentAtMs;
}

/**
 * By how much the clock of the region's database was set back between two of its beats, as their writer can tell (P7).
 * Each beat stores the total, so that the clock plus that total is one that never goes back. It is compared with the
 * writer's monotonic clock, over the time since a beat whose moment is well known: while a database stands still its
 * clock may be set back by less than it stood, which leaves nothing to see at the two beats alone. A process that stands by
 * looks at the beats of the one that writes them, so that it can tell as well once it writes.
 */

/** What the clock, as if it had never been set back, shows at the next beat; by milliseconds since 1970. */
export interface BeatBounds {
  /** Less means that the clock was set back; `null`: this process has written no beat and seen none come, so only what lies before the last one shows. */
  readonly leastMs: number | null;
  /** What it is taken to show then; `null`: nobody knows how much time has passed. */
  readonly mostMs: number | null;
  /**
   * No more time than this has passed since the last beat. It counts where that one lies beyond `mostMs`: the clock had been
   * set ahead by then, which its writer does not know, because another process wrote it or because no answer came.
   */
  readonly passedMs: number | null;
}

/** The newest beat in the tables. */
export interface SeenBeat {
  readonly number: number;
  /** By the clock as if it had never been set back. */
  readonly unsetMs: number;
}

/** One that found this beat the newest. */
interface Look {
  readonly number: number;
  readonly sentAtMs: number;
}

/** A beat between its sending and its answer, by the monotonic clock, or between two looks, of which the later one found it. */
interface BeatReading {
  /** It is of another process. */
  readonly isSeen: boolean;
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
/** Looks at the beats of others that are remembered, the last one of each beat. */
const mostLooks = 8;

/** Of one process. */
export class BeatClock {
  readonly #monotonicMs: () => number;
  /** The last beat of which it is well known when it was written. */
  #anchor: BeatReading | null = null;
  /** While another process writes them, oldest first. */
  #looks: readonly Look[] = [];
  /** The last beat that was answered, when it was sent; whatever was written since is younger. */
  #lastSentAtMs = 0;
  /** What it took to be answered. */
  #waitMs = 0;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  /** `write` writes a beat within these bounds, and resolves with the database's clock as if it had never been set back. */
  async beat(write: (bounds: BeatBounds) => Promise<number>): Promise<void> {
    this.#looks = [];
    const sentAtMs = this.#monotonicMs();
    const unsetMs = await write(this.#bounds(sentAtMs));
    this.#note({ isSeen: false, sentAtMs, answeredAtMs: this.#monotonicMs(), unsetMs });
  }

  /** `read` reads the newest beat, of whoever writes them meanwhile. */
  async look(read: () => Promise<SeenBeat | null>): Promise<void> {
    const sentAtMs = this.#monotonicMs();
    const seen = await read();
    if (seen !== null) this.#saw(seen, { sentAtMs, answeredAtMs: this.#monotonicMs() });
  }

  /**
   * The beat after the newest one that a look found may have been on its way then; the one after that is begun only once
   * that has committed, so it was written after the look.
   */
  #saw(
    { number, unsetMs }: SeenBeat,
    { sentAtMs, answeredAtMs }: Pick<BeatReading, 'sentAtMs' | 'answeredAtMs'>,
  ): void {
    const last = this.#looks.at(-1);
    // Beats begin anew with another life.
    const looks = last !== undefined && number < last.number ? [] : this.#looks;
    const others = looks.filter((look) => look.number !== number);
    this.#looks = [...others, { number, sentAtMs }].slice(-mostLooks);
    if (last?.number === number) return;
    const before = looks.findLast((look) => look.number + 2 <= number);
    if (before === undefined) return;
    this.#anchor = { isSeen: true, sentAtMs: before.sentAtMs, answeredAtMs, unsetMs };
    this.#lastSentAtMs = before.sentAtMs;
    // How long a beat of its own takes it does not know.
    this.#waitMs = mostWaitMs;
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
    // Looks lie further apart than what a beat may hide that waited.
    const mostMs = anchor === null || anchor.isSeen ? soonMs : Math.max(soonMs, widthOf(anchor));
    if (anchor === null || isOld || widthOf(beat) <= mostMs) this.#anchor = beat;
  }
}

function widthOf({ sentAtMs, answeredAtMs }: BeatReading): number {
  return answeredAtMs - sentAtMs;
}

/**
 * Readings of a clock that is somewhere else, against our monotonic one. A reading counts for the middle of its round
 * trip and is wrong by at most half of that, so one that took long (a slow server, a process that was stopped between
 * asking and hearing) must not replace a better one that it does not contradict. One that no error explains means
 * that the clock was set, and is followed at once, forwards and backwards. Where that one took long it does not say by how
 * much, and the clock is read once more.
 */

/** Greatest rate at which two ordinary quartz clocks part: 100 parts per million each. */
const driftRate = 2e-4;
/** One that may be wrong by more took longer than a server needs that answers. */
const vagueMs = 250;

export interface ClockReading {
  /** The other clock minus the monotonic one. */
  readonly offsetMs: number;
  /** The true offset lay within this much of `offsetMs`. */
  readonly errorMs: number;
  /** By the monotonic clock. */
  readonly readAtMs: number;
}

export function readingOf(answerMs: number, askedMs: number, answeredMs: number): ClockReading {
  return {
    offsetMs: answerMs - (askedMs + answeredMs) / 2,
    errorMs: (answeredMs - askedMs) / 2,
    readAtMs: answeredMs,
  };
}

/** Which of the two to go by, once `next` has been read. */
export function betterReading(held: ClockReading | null, next: ClockReading): ClockReading {
  if (held === null) return next;
  return next.errorMs <= errorLater(held, next) || isSet(held, next) ? next : held;
}

/** What to go by once the clock was asked; `ask` may reject, and then what is held stays. */
export async function readAfter(
  held: ClockReading | null,
  ask: () => Promise<ClockReading>,
): Promise<ClockReading> {
  const next = await ask();
  const isVague = next.errorMs > vagueMs && (held === null || isSet(held, next));
  return isVague ? betterReading(next, await ask()) : betterReading(held, next);
}

/** No error explains the difference. */
function isSet(held: ClockReading, next: ClockReading): boolean {
  return Math.abs(next.offsetMs - held.offsetMs) > errorLater(held, next) + next.errorMs;
}

/** Of the one that is held, by the time of the next. */
function errorLater(held: ClockReading, next: ClockReading): number {
  return held.errorMs + driftRate * (next.readAtMs - held.readAtMs);
}

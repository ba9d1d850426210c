/**
 * Readings of a clock that is somewhere else, against our monotonic one. A reading counts for the middle of its round
 * trip and is wrong by at most half of that, so one that took long (a slow server, a process that was stopped between
 * asking and hearing) must not replace a better one that it does not contradict. One that no error explains means
 * that the clock was set, and is followed at once, forwards and backwards.
 */

/** Greatest rate at which two ordinary quartz clocks part: 100 parts per million each. */
const driftRate = 2e-4;

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
  const heldErrorMs = held.errorMs + driftRate * (next.readAtMs - held.readAtMs);
  if (next.errorMs <= heldErrorMs) return next;
  const isSet = Math.abs(next.offsetMs - held.offsetMs) > heldErrorMs + next.errorMs;
  return isSet ? next : held;
}

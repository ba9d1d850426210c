/**
 * The one way in which the engine waits. Its clock never goes back and says nothing about the time of day, so that
 * schedules and dwell times do not feel a correction of the wall clock; ages of beats are the business of `Clock`.
 * A simulator gives its own, and time then passes only when it says so.
 */
export interface Timer {
  /** Milliseconds with fractions since an arbitrary moment. */
  monotonicMs(): number;
  /** Calls `fire` once, not before the delay is over; the returned function prevents that. */
  after(delayMs: number, fire: () => void): () => void;
  /** Calls `fire` once everything that has arrived by now has been handed over, without letting time pass. */
  turn(fire: () => void): void;
}

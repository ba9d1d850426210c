/**
 * When a number that only grows was last seen to grow, by the monotonic clock. The first value seen proves nothing,
 * because it may be of any age; whoever looks seldom sees a move late, never early.
 */
export class Moved {
  #value: bigint | null = null;
  #atMs: number | null = null;

  /** `readAtMs` is when the reading began. A value below the last one belongs to a new life and proves nothing either. */
  see(value: bigint | null, readAtMs: number): void {
    if (value === null) return;
    if (this.#value !== null && value > this.#value) this.#atMs = readAtMs;
    this.#value = value;
  }

  /** `null`: it was never seen to move. */
  ageMs(nowMs: number): number | null {
    return this.#atMs === null ? null : Math.max(0, nowMs - this.#atMs);
  }
}

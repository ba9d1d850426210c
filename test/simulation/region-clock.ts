/** The wall clock of one region's database: true time with an offset, a drift, and jumps now and then. */
const epochMs = 1_700_000_000_000;

export class RegionClock {
  readonly #trueMs: () => number;
  readonly #driftRate: number;
  #offsetMs: number;
  #jumpedAtMs = -Infinity;

  constructor(trueMs: () => number, offsetMs: number, driftRate: number) {
    this.#trueMs = trueMs;
    this.#offsetMs = offsetMs;
    this.#driftRate = driftRate;
  }

  /** True time of the last jump. */
  get jumpedAtMs(): number {
    return this.#jumpedAtMs;
  }

  nowMs(): number {
    return epochMs + this.#offsetMs + this.#trueMs() * (1 + this.#driftRate);
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
    this.#jumpedAtMs = this.#trueMs();
  }
}

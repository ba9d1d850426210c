/** The wall clock of one region's database: true time with an offset, a drift, and jumps now and then. */
const epochMs = 1_700_000_000_000;

export interface SetBack {
  /** True time. */
  readonly atMs: number;
  readonly byMs: number;
}

export class RegionClock {
  readonly #trueMs: () => number;
  readonly #driftRate: number;
  #offsetMs: number;
  #silentUntilMs = -Infinity;
  readonly #jumps: number[] = [];
  readonly #setBacks: SetBack[] = [];

  constructor(trueMs: () => number, offsetMs: number, driftRate: number) {
    this.#trueMs = trueMs;
    this.#offsetMs = offsetMs;
    this.#driftRate = driftRate;
  }

  /** True time of the last jump. */
  get jumpedAtMs(): number {
    return this.#jumps.at(-1) ?? -Infinity;
  }

  /** True time from which the region's processes could learn of the last jump: they, or the database, may have stood still. */
  get noticedAtMs(): number {
    return Math.max(this.jumpedAtMs, this.#silentUntilMs);
  }

  /** A process could not read the clock since then, and can now. */
  heardAgain(sinceMs: number): void {
    if (this.jumpedAtMs >= sinceMs) this.#silentUntilMs = this.#trueMs();
  }

  /** True times, in order. */
  get jumps(): readonly number[] {
    return this.#jumps;
  }

  /** In order of time. */
  get setBacks(): readonly SetBack[] {
    return this.#setBacks;
  }

  nowMs(): number {
    return epochMs + this.#offsetMs + this.#trueMs() * (1 + this.#driftRate);
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
    const atMs = this.#trueMs();
    this.#jumps.push(atMs);
    if (byMs < 0) this.#setBacks.push({ atMs, byMs: -byMs });
  }
}

/** The wall clock of one region's database: true time with an offset, a drift, and jumps now and then. */
const epochMs = 1_700_000_000_000;
/** Processes read their database's clock within this, and keep what they read. */
const readMs = 1500;
/** The same where statements fail now and then. */
const readBadlyMs = 4000;

export interface Jump {
  /** True time. */
  readonly atMs: number;
  /** Never negative. */
  readonly byMs: number;
}

export class RegionClock {
  readonly #trueMs: () => number;
  readonly #driftRate: number;
  #offsetMs: number;
  #silentUntilMs = -Infinity;
  /** The database has answered nobody since then; `null`: it does. */
  #silentSinceMs: number | null = null;
  #failsNowAndThen = false;
  /** Of the last jump. */
  #readWithinMs = readMs;
  readonly #jumps: number[] = [];
  readonly #setBacks: Jump[] = [];
  readonly #setAheads: Jump[] = [];
  readonly #takenUpAtMs: number[] = [];
  /** The last jump, where it went ahead and a process that was there may have read it; else `null`. */
  #setAhead: Jump | null = null;
  readonly #unseenAheads: Jump[] = [];

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

  /**
   * A process could not read the clock since then, and can now; nor may it have read what was set just before, or what it
   * could read only just before, as where a process stands and its database is silent by turns.
   */
  heardAgain(sinceMs: number): void {
    if (this.noticedAtMs < sinceMs - this.#readWithinMs) return;
    this.#silentUntilMs = this.#trueMs();
    if (this.#setAhead !== null) this.#unseenAheads.push(this.#setAhead);
    this.#setAhead = null;
  }

  /** The database answers nobody from now on, or still nobody. */
  fellSilent(): void {
    this.#silentSinceMs ??= this.#trueMs();
  }

  /** It answers, whichever of several faults was over. */
  answers(): void {
    if (this.#silentSinceMs !== null) this.heardAgain(this.#silentSinceMs);
    this.#silentSinceMs = null;
  }

  /** Statements of the database fail now and then, or not any more. */
  fails(isSo: boolean): void {
    this.#failsNowAndThen = isSo;
  }

  /** True times, in order. */
  get jumps(): readonly number[] {
    return this.#jumps;
  }

  /** In order of time. */
  get setBacks(): readonly Jump[] {
    return this.#setBacks;
  }

  /** In order of time. */
  get setAheads(): readonly Jump[] {
    return this.#setAheads;
  }

  /** By how much it was set ahead since then, which makes ages of what was written before too high (0030). */
  setAheadMs(sinceMs: number): number {
    return this.#setAheads.reduce((sum, { atMs, byMs }) => sum + (atMs >= sinceMs ? byMs : 0), 0);
  }

  /** A process began to replicate, and knows what the one before it has stored. */
  takenUp(): void {
    this.#takenUpAtMs.push(this.#trueMs());
  }

  /** True times, in order. */
  get takenUpAtMs(): readonly number[] {
    return this.#takenUpAtMs;
  }

  /** In order of time: jumps ahead that no process may have seen that already read progress before. */
  get unseenAheads(): readonly Jump[] {
    return this.#unseenAheads;
  }

  nowMs(): number {
    return epochMs + this.#offsetMs + this.#trueMs() * (1 + this.#driftRate);
  }

  jump(byMs: number): void {
    this.#offsetMs += byMs;
    const atMs = this.#trueMs();
    this.#jumps.push(atMs);
    this.#readWithinMs = this.#failsNowAndThen ? readBadlyMs : readMs;
    const jump = { atMs, byMs: Math.abs(byMs) };
    this.#setAhead = byMs < 0 ? null : jump;
    (byMs < 0 ? this.#setBacks : this.#setAheads).push(jump);
  }
}

/**
 * Which partitions of a topic are read over one reader, and from which leader: each leader is asked by one follower, for
 * all that it leads, because a broker answers what comes over one connection in turn. A partition that its leader gives
 * nothing of is missing until it is taken again, and unreachable from when that is noticed until something is read.
 */
export class Followers {
  readonly #wanted: readonly number[];
  /** By leader, in the order in which they are to be asked for. */
  readonly #led = new Map<number, readonly number[]>();
  readonly #unreachable = new Set<number>();
  readonly #end = new AbortController();
  #cause: unknown = null;
  #onMissing: (() => void) | null = null;

  constructor(wanted: readonly number[]) {
    this.#wanted = wanted;
  }

  /** Aborts once no partition is read any more. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Why a partition was given up last. */
  get cause(): unknown {
    return this.#cause;
  }

  get unreachable(): readonly number[] {
    return [...this.#unreachable].toSorted((one, other) => one - other);
  }

  of(leader: number): readonly number[] {
    return this.#led.get(leader) ?? [];
  }

  /** Takes up what is missing and has a leader; resolves to the leaders that nobody follows yet. */
  take(leaders: ReadonlyMap<number, readonly number[]>): readonly number[] {
    const missing = new Set(this.#missing());
    const fresh: number[] = [];
    for (const [leader, all] of leaders) {
      const led = all.filter((partition) => missing.has(partition));
      if (led.length === 0) continue;
      if (!this.#led.has(leader)) fresh.push(leader);
      this.#led.set(leader, [...this.of(leader), ...led]);
    }
    return fresh;
  }

  /** The leader answered; who was served comes last the next time, because an answer is bounded. */
  answered(leader: number, served: ReadonlySet<number>): void {
    const led = this.of(leader);
    for (const partition of led) this.#unreachable.delete(partition);
    this.#led.set(leader, [
      ...led.filter((partition) => !served.has(partition)),
      ...led.filter((partition) => served.has(partition)),
    ]);
  }

  /** The leader gives nothing of these, or, by default, nothing at all. */
  drop(leader: number, cause: unknown, partitions = this.of(leader)): void {
    const left = this.of(leader).filter((partition) => !partitions.includes(partition));
    this.#cause = cause;
    if (left.length > 0) this.#led.set(leader, left);
    else this.#led.delete(leader);
    if (this.#led.size === 0) this.#end.abort();
    this.#onMissing?.();
  }

  async untilMissing(): Promise<void> {
    if (this.#missing().length > 0) return;
    await new Promise<void>((resolve) => {
      this.#onMissing = resolve;
    });
    this.#onMissing = null;
  }

  noteMissing(): void {
    for (const partition of this.#missing()) this.#unreachable.add(partition);
  }

  #missing(): readonly number[] {
    const read = new Set([...this.#led.values()].flat());
    return this.#wanted.filter((partition) => !read.has(partition));
  }
}

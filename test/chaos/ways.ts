/** Between which regions faults stand, and stood a while ago: word does not surely get from the one to the other. */

export type Between = readonly (readonly [one: string, other: string])[];

export class Ways {
  readonly #afterMs: number;
  readonly #open = new Set<Between | null>();
  #ended: { readonly between: Between | null; readonly atMs: number }[] = [];

  /** `afterMs`: so long after a fault it still counts. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** `null`: it may stand between any two. */
  begin(between: Between | null): void {
    this.#open.add(between);
  }

  end(between: Between | null, atMs: number): void {
    this.#open.delete(between);
    this.#ended.push({ between, atMs });
  }

  isWhole(one: string, other: string, nowMs: number): boolean {
    this.#ended = this.#ended.filter(({ atMs }) => atMs + this.#afterMs >= nowMs);
    const parts = [...this.#open, ...this.#ended.map(({ between }) => between)];
    return !parts.some((between) => standsIn(between, one, other));
  }
}

function standsIn(between: Between | null, one: string, other: string): boolean {
  return between === null || between.some((pair) => pair.includes(one) && pair.includes(other));
}

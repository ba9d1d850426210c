/**
 * A stream of numbers that follows from its seed alone, on every machine: the generator sfc32 of PractRand, seeded
 * through splitmix32. It is quick and even enough to choose test cases, and must never choose a secret.
 */

/** Chance that follows from a seed alone. */
export class Random {
  readonly #state = new Uint32Array(4);

  /** Takes a 32-bit integer. */
  constructor(seed: number) {
    let mixed = seed >>> 0;
    for (let index = 0; index < 3; index++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let word = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      this.#state[index] = word ^ (word >>> 15);
    }
    this.#state[3] = 1;
    for (let round = 0; round < 12; round++) this.word();
  }

  /** 32 bits. */
  word(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#state;
    const word = (a + b + d) >>> 0;
    this.#state[0] = b ^ (b >>> 9);
    this.#state[1] = c + (c << 3);
    this.#state[2] = ((c << 21) | (c >>> 11)) + word;
    this.#state[3] = d + 1;
    return word;
  }

  /** An integer from 0 up to, and without, `limit`. */
  below(limit: number): number {
    return Math.floor((this.word() / 0x100000000) * limit);
  }

  /** True with this probability, from 0 to 1. */
  chance(probability: number): boolean {
    return this.word() / 0x100000000 < probability;
  }

  /** One of the items. */
  pick<const Items extends readonly [unknown, ...unknown[]]>(items: Items): Items[number] {
    return items[this.below(items.length)];
  }

  /** `undefined` only where there are no items. */
  anyOf<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }

  /** The same items in another order. */
  shuffled<Item>(items: readonly Item[]): readonly Item[] {
    return items
      .map((item) => ({ item, key: this.word() }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }
}

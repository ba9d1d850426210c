/**
 * Chance that can be played again: everything a campaign does follows from one seed. Each input starts its own
 * sequence from the seed and its number, so it does not matter on which worker it runs or what came before it.
 * (sfc32 by Chris Doty-Humphrey, public domain.)
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #count = 1;

  constructor(seed: number, sequence: number) {
    this.restart(seed, sequence);
  }

  restart(seed: number, sequence: number): void {
    this.#a = seed | 0;
    this.#b = sequence | 0;
    this.#c = Math.floor(sequence / 0x100000000) | 0;
    this.#count = 1;
    for (let round = 0; round < 12; round++) this.next();
  }

  /** An unsigned 32-bit integer. */
  next(): number {
    const result = (this.#a + this.#b + this.#count++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** 0 to `bound` - 1; 0 where there is no such number. */
  below(bound: number): number {
    return bound <= 1 ? 0 : this.next() % bound;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }
}

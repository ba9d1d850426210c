/**
 * Chance from a seed, so that every run of a load test writes the same records to the same keys. The generator is
 * mulberry32: 32 bits of state, quick, and good enough for words and orders. It must never be used for secrets.
 */
export type Random = () => number;

/** Numbers in [0, 1). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every whole number below `count` once, in an order drawn from `random` (Fisher and Yates). */
export function shuffledOrder(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    const held = order[last] ?? 0;
    order[last] = order[chosen] ?? 0;
    order[chosen] = held;
  }
  return order;
}

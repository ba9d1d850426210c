/**
 * The record of all measures: ten fields of short strings, numbers and a line of words, as a shop or an account has
 * them. Values follow from a seed alone, so that every contender is given the very same ones.
 */
const words = [
  'amber',
  'basil',
  'cedar',
  'delta',
  'ember',
  'fjord',
  'grove',
  'haven',
  'inlet',
  'jetty',
  'knoll',
  'lagoon',
];
const cities = ['Lyon', 'Porto', 'Gdansk', 'Leipzig', 'Ghent', 'Malmo', 'Austin', 'Boise'];
const statuses = ['draft', 'active', 'paused', 'sold'];

/** @typedef {string | number} Plain */
/** @typedef {() => number} Chance Gives numbers in [0, 1). */

/**
 * The mulberry32 generator.
 * @param {number} seed
 * @returns {Chance}
 */
export function chanceFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** @param {Chance} chance @param {number} limit */
export const below = (chance, limit) => Math.floor(chance() * limit);
/** @template T @param {Chance} chance @param {readonly T[]} list */
const pick = (chance, list) => list[below(chance, list.length)];
/** @param {Chance} chance @param {number} count */
const wordsOf = (chance, count) => Array.from({ length: count }, () => pick(chance, words)).join(' ');

/** @type {Readonly<Record<string, (chance: Chance) => Plain>>} */
const values = {
  title: (chance) => wordsOf(chance, 2),
  sku: (chance) => `${pick(chance, words).toUpperCase()}-${1000 + below(chance, 9000)}`,
  status: (chance) => pick(chance, statuses),
  price: (chance) => 1 + below(chance, 100_000),
  currency: (chance) => pick(chance, ['EUR', 'USD', 'GBP']),
  weight: (chance) => below(chance, 10_000) / 8,
  owner: (chance) => `${pick(chance, words)}${below(chance, 100)}`,
  city: (chance) => pick(chance, cities),
  rating: (chance) => below(chance, 6),
  notes: (chance) => wordsOf(chance, 5),
};

export const fieldNames = Object.keys(values);

/** @param {Chance} chance @param {string} name @returns {Plain} */
const valueOf = (chance, name) => values[name]?.(chance) ?? 0;
/** A value that differs from the present one, because some libraries make nothing of a write that changes nothing. @param {Chance} chance @param {string} name @param {Plain} present @returns {Plain} */
export function otherValueOf(chance, name, present) {
  for (;;) {
    const value = valueOf(chance, name);
    if (value !== present) return value;
  }
}

/** @param {Chance} chance @returns {Readonly<Record<string, Plain>>} */
export const recordOf = (chance) =>
  Object.fromEntries(fieldNames.map((name) => [name, valueOf(chance, name)]));
/** @param {Chance} chance @param {number} count */
export function tagsOf(chance, count) {
  const tags = new Set();
  while (tags.size < count) tags.add(`${pick(chance, words)}-${below(chance, 1000)}`);
  return /** @type {readonly string[]} */ ([...tags]);
}

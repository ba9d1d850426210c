/**
 * The work that is timed, made from seeds alone, so that every contender gets the same edits in the same order. Before
 * anything is timed, each result is read back and compared with what the edits say; a contender that reads anything
 * else throws here and is left out of that measure. All inputs are copies of their own, as bytes from a store are.
 */
import { isDeepStrictEqual } from 'node:util';
import { BenchError } from './contender.mjs';
import { below, chanceFrom, fieldNames, otherValueOf, recordOf, tagsOf } from './record.mjs';

/**
 * @typedef {import('./contender.mjs').Contender} Contender
 * @typedef {{ readonly state: Uint8Array, readonly delta: Uint8Array }} Pair
 */

const firstMs = 1_764_000_000_000;
const hotRecords = 8;

/** Bytes of nobody else: neither a view of a slab of ours nor of a pool of Node's. @param {Uint8Array} bytes */
export const copyOf = (bytes) => new Uint8Array(bytes);

/** @param {string} name @param {unknown} found @param {unknown} wanted */
function check(name, found, wanted) {
  if (isDeepStrictEqual(found, wanted)) return;
  throw new BenchError(`${name} reads ${JSON.stringify(found)}, the edits say ${JSON.stringify(wanted)}`);
}

/** Checks a record. @param {Contender} contender @param {Uint8Array} state @param {Readonly<Record<string, unknown>>} wanted */
const checkRecord = (contender, state, wanted) => check(contender.name, { ...contender.read(state) }, wanted);

/** A record that one writer created and the other has edited twice. @param {Contender} contender @param {number} seed */
function writtenRecord(contender, seed) {
  const chance = chanceFrom(seed);
  const value = { ...recordOf(chance) };
  let { state } = contender.set(contender.empty(), { actor: 'eu-1', ms: firstMs }, value);
  for (const name of ['status', 'price']) {
    value[name] = otherValueOf(chance, name, value[name]);
    ({ state } = contender.set(state, { actor: 'us-1', ms: firstMs + 1000 }, { [name]: value[name] }));
  }
  return { state: copyOf(state), value, chance };
}

/** Every field of a few records is written once. @param {Contender} contender @returns {readonly Pair[]} */
export function hotPairs(contender) {
  return Array.from({ length: hotRecords }, (_, seed) => {
    const { state, value, chance } = writtenRecord(contender, seed);
    return fieldNames.map((name) => {
      const written = otherValueOf(chance, name, value[name]);
      const actor = below(chance, 2) === 0 ? 'eu-1' : 'us-1';
      const { delta } = contender.set(state, { actor, ms: firstMs + 2000 }, { [name]: written });
      checkRecord(contender, contender.merge(state, delta), { ...value, [name]: written });
      return { state, delta: copyOf(delta) };
    });
  }).flat();
}

/** As the hot work, but the states have the deltas already. @param {Contender} contender @returns {readonly Pair[]} */
export function duplicatePairs(contender) {
  return hotPairs(contender).map(({ state, delta }) => {
    const joined = copyOf(contender.merge(state, delta));
    checkRecord(contender, contender.merge(joined, delta), contender.read(joined));
    return { state: joined, delta };
  });
}

/**
 * Two writers have gone apart by three fields each, one of them in common; states are merged with states.
 * @param {Contender} contender @returns {readonly Pair[]}
 */
export function divergedPairs(contender) {
  if (contender.mergesStates === false) throw new BenchError(`${contender.name} merges deltas only`);
  return Array.from({ length: hotRecords }, (_, seed) => {
    const { state, value, chance } = writtenRecord(contender, seed);
    const mine = {
      title: otherValueOf(chance, 'title', value.title),
      sku: otherValueOf(chance, 'sku', value.sku),
      price: -1,
    };
    const theirs = {
      city: otherValueOf(chance, 'city', value.city),
      notes: otherValueOf(chance, 'notes', value.notes),
      price: -2,
    };
    const left = copyOf(contender.set(state, { actor: 'eu-1', ms: firstMs + 3000 }, mine).state);
    const right = copyOf(contender.set(state, { actor: 'us-1', ms: firstMs + 4000 }, theirs).state);
    const found = contender.read(contender.merge(left, right));
    // Who wins is each library's own affair, but it has to be one of the two.
    const price = found.price === -1 || found.price === -2 ? found.price : 'one of both';
    check(contender.name, { ...found }, { ...value, ...mine, ...theirs, price });
    return { state: left, delta: right };
  });
}

/** A delta that has overtaken one of its writer, which is still missing. @param {Contender} contender @returns {readonly Pair[]} */
export function overtakenPairs(contender) {
  return Array.from({ length: hotRecords }, (_, seed) => {
    const { state, value, chance } = writtenRecord(contender, seed);
    return fieldNames.slice(1).map((name) => {
      const missing = otherValueOf(chance, 'title', value.title);
      const behind = contender.set(
        state,
        { actor: 'us-1', ms: firstMs + 2000 },
        { [fieldNames[0]]: missing },
      );
      const written = otherValueOf(chance, name, value[name]);
      const { delta } = contender.set(
        behind.state,
        { actor: 'us-1', ms: firstMs + 3000 },
        { [name]: written },
      );
      checkRecord(contender, contender.merge(state, delta), { ...value, [name]: written });
      return { state, delta: copyOf(delta) };
    });
  }).flat();
}

/** The first that is heard of a record. @param {Contender} contender @returns {readonly Pair[]} */
export function firstPairs(contender) {
  return Array.from({ length: hotRecords }, (_, seed) => {
    const value = recordOf(chanceFrom(seed));
    const { delta } = contender.set(contender.empty(), { actor: 'eu-1', ms: firstMs }, value);
    checkRecord(contender, contender.merge(contender.empty(), delta), value);
    return { state: contender.empty(), delta: copyOf(delta) };
  });
}

/** One element is added to sets of twenty, which both writers filled. @param {Contender} contender @returns {readonly Pair[]} */
export function setPairs(contender) {
  return Array.from({ length: hotRecords }, (_, seed) => {
    const tags = tagsOf(chanceFrom(seed), 21);
    const first = contender.add(contender.empty(), { actor: 'eu-1', ms: firstMs }, tags.slice(0, 10));
    const filled = contender.add(first.state, { actor: 'us-1', ms: firstMs + 1000 }, tags.slice(10, 20));
    const { delta } = contender.add(filled.state, { actor: 'us-1', ms: firstMs + 2000 }, tags.slice(20));
    const joined = contender.mergeTags(filled.state, delta);
    check(contender.name, new Set(contender.readTags(joined)), new Set(tags));
    return { state: copyOf(filled.state), delta: copyOf(delta) };
  });
}

/** One of many records: its state and one delta. @param {Contender} contender @param {number} seed @returns {Pair} */
export function manyPair(contender, seed) {
  const chance = chanceFrom(seed);
  const value = recordOf(chance);
  const { state } = contender.set(contender.empty(), { actor: 'eu-1', ms: firstMs }, value);
  const name = fieldNames[below(chance, fieldNames.length)] ?? 'title';
  const written = otherValueOf(chance, name, value[name]);
  const { delta } = contender.set(state, { actor: 'us-1', ms: firstMs + 1000 }, { [name]: written });
  if (seed % 1000 === 0) checkRecord(contender, contender.merge(state, delta), { ...value, [name]: written });
  return { state: copyOf(state), delta: copyOf(delta) };
}

/** Lengths of one record's state after so many writes by two writers. @param {Contender} contender @param {number} seed @param {readonly number[]} marks */
export function bytesAfter(contender, seed, marks) {
  const chance = chanceFrom(seed);
  const value = { ...recordOf(chance) };
  let { state } = contender.set(contender.empty(), { actor: 'eu-1', ms: firstMs }, value);
  const lengths = [];
  for (let writes = 1; writes <= Math.max(...marks); writes++) {
    const name = fieldNames[below(chance, fieldNames.length)] ?? 'title';
    value[name] = otherValueOf(chance, name, value[name]);
    const actor = below(chance, 2) === 0 ? 'eu-1' : 'us-1';
    ({ state } = contender.set(state, { actor, ms: firstMs + 1000 * writes }, { [name]: value[name] }));
    if (marks.includes(writes)) lengths.push(state.length);
  }
  checkRecord(contender, state, value);
  return lengths;
}

/**
 * What every library in the benchmark is asked to do, in one shape, and how they are loaded. A library that does not
 * load is named and left out; it never stops the others. Wrappers hold no state and no cache between calls, because a
 * service that merges millions of records has none either.
 */

/**
 * @typedef {import('./record.mjs').Plain} Plain
 * @typedef {{ readonly actor: 'eu-1' | 'us-1', readonly ms: number }} Edit
 * @typedef {{ readonly state: Uint8Array, readonly delta: Uint8Array }} Edited
 * @typedef {object} Contender
 * @property {string} name
 * @property {() => Uint8Array} empty A record that nobody wrote to.
 * @property {(state: Uint8Array, edit: Edit, values: Readonly<Record<string, Plain>>) => Edited} set
 * @property {(state: Uint8Array, delta: Uint8Array) => Uint8Array} merge
 * @property {(states: readonly Uint8Array[], deltas: readonly Uint8Array[]) => Uint8Array[]} [mergeMany] Each delta into the state in its place; absent where the library has no way of its own.
 * @property {(state: Uint8Array) => Readonly<Record<string, unknown>>} read
 * @property {(state: Uint8Array, edit: Edit, added: readonly string[]) => Edited} add To a set.
 * @property {(state: Uint8Array, delta: Uint8Array) => Uint8Array} mergeTags The same for sets.
 * @property {(state: Uint8Array) => Iterable<string>} readTags
 * @property {(state: Uint8Array) => unknown} [live] The document that the library works on; absent where that is bytes.
 * @property {string} [onlyIn] The one workload that this variant is for.
 * @property {boolean} [isWebAssembly] Slows typed arrays of the whole process once it has run.
 * @property {boolean} [mergesStates] False where only deltas can be merged.
 */

/** A contender gave another result than the edits ask for, or a part of the run failed. */
export class BenchError extends Error {
  name = 'BenchError';
}

/** Modules and exports of all contenders; ours comes first. */
const places = {
  isthmus: ['isthmus', 'contender'],
  'isthmus, asked': ['isthmus', 'askingContender'],
  json: ['json', 'contender'],
  yjs: ['yjs', 'contender'],
  'yjs mergeUpdates': ['yjs', 'bytesContender'],
  automerge: ['automerge', 'contender'],
  loro: ['loro', 'contender'],
  'json-joy': ['json-joy', 'contender'],
  'delta-crdts': ['delta-crdts', 'contender'],
};

export const contenderNames = Object.keys(places);

/** @param {string} name @returns {Promise<Contender>} */
export async function loadContender(name) {
  const [module, found] = places[name];
  return (await import(`./contenders/${module}.mjs`))[found];
}

/** Loads what loads; says of the rest why not. */
export async function loadContenders() {
  const contenders = [];
  const missing = [];
  for (const name of contenderNames) {
    try {
      contenders.push(await loadContender(name));
    } catch (cause) {
      missing.push(`${name} did not load: ${String(cause).split('\n')[0]}`);
    }
  }
  return { contenders, missing };
}

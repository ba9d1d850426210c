/**
 * Loro: import state and delta into a fresh document, export a snapshot. Documents are freed by hand, so that no
 * contender pays for the memory of this one.
 */
import { LoroDoc } from 'loro-crdt';

/** @type {Readonly<Record<string, `${number}`>>} */
const peers = { 'eu-1': '1', 'us-1': '2' };

/** @param {readonly Uint8Array[]} updates */
function load(...updates) {
  const doc = new LoroDoc();
  for (const update of updates) if (update.length > 0) doc.import(update);
  return doc;
}

/** @param {LoroDoc} doc */
function save(doc) {
  const state = doc.export({ mode: 'snapshot' });
  doc.free();
  return state;
}

/** @param {Uint8Array} state @param {string} actor @param {string} root @param {readonly (readonly [string, unknown])[]} entries */
function write(state, actor, root, entries) {
  const doc = load(state);
  doc.setPeerId(peers[actor] ?? '0');
  const from = doc.version();
  const map = doc.getMap(root);
  for (const [name, value] of entries) map.set(name, value);
  doc.commit();
  const delta = doc.export({ mode: 'update', from });
  return { state: save(doc), delta };
}

/** @type {import('../contender.mjs').Contender['merge']} */
const merge = (state, delta) => save(load(state, delta));

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'loro',
  empty: () => new Uint8Array(0),
  set: (state, { actor }, values) => write(state, actor, 'record', Object.entries(values)),
  merge,
  read: (state) => load(state).getMap('record').toJSON(),
  add: (state, { actor }, added) =>
    write(
      state,
      actor,
      'tags',
      added.map((tag) => [tag, true]),
    ),
  mergeTags: merge,
  readTags: (state) => load(state).getMap('tags').keys(),
  live: (state) => load(state),
  isWebAssembly: true,
};

/**
 * Yjs with one `Y.Map` for a record and one for a set's elements. "By load" is how a server merges that wants to know
 * the document afterwards; `mergeUpdates` is Yjs' own way from bytes to bytes without a document. Writers are the
 * smallest client numbers, which is what takes the fewest bytes.
 */
import * as Y from 'yjs';

/** @type {Readonly<Record<string, number>>} */
const clients = { 'eu-1': 1, 'us-1': 2 };

/** @param {readonly Uint8Array[]} updates */
function load(...updates) {
  const doc = new Y.Doc();
  for (const update of updates) if (update.length > 0) Y.applyUpdate(doc, update);
  return doc;
}

/** @param {Uint8Array} state @param {string} actor @param {string} root @param {readonly (readonly [string, unknown])[]} entries */
function write(state, actor, root, entries) {
  const doc = load(state);
  doc.clientID = clients[actor] ?? 0;
  let delta = new Uint8Array(0);
  doc.on('update', (update) => {
    delta = update;
  });
  const map = doc.getMap(root);
  doc.transact(() => {
    for (const [name, value] of entries) map.set(name, value);
  });
  return { state: Y.encodeStateAsUpdate(doc), delta };
}

/** @type {import('../contender.mjs').Contender['merge']} */
const merge = (state, delta) => Y.encodeStateAsUpdate(load(state, delta));

/** @type {import('../contender.mjs').Contender['merge']} */
const mergeBytes = (state, delta) => (state.length === 0 ? delta : Y.mergeUpdates([state, delta]));

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'yjs',
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
  readTags: (state) => [...load(state).getMap('tags').keys()],
  live: (state) => load(state),
};

/** @type {import('../contender.mjs').Contender} */
export const bytesContender = {
  ...contender,
  name: 'yjs mergeUpdates',
  merge: mergeBytes,
  mergeTags: mergeBytes,
  live: undefined,
};

/**
 * Automerge: load, apply the changes of the delta, save. Texts are `ImmutableString`s, which are registers like
 * everybody else's; its default, a collaborative text for each string, would be slower and longer. Documents are freed
 * by hand, so that no contender pays for the memory of this one.
 */
import * as Automerge from '@automerge/automerge';

/** @param {string} actor */
const hex = (actor) => Buffer.from(actor).toString('hex');
/** @param {unknown} value */
const stored = (value) => (typeof value === 'string' ? new Automerge.ImmutableString(value) : value);
/** @param {unknown} value */
const plain = (value) => (Automerge.isImmutableString(value) ? value.toString() : value);

/** @param {Uint8Array} state @param {string} [actor] */
function load(state, actor) {
  const options = actor === undefined ? {} : { actor: hex(actor) };
  return state.length === 0 ? Automerge.init(options) : Automerge.load(state, options);
}

/** @param {Uint8Array} state @param {string} actor @param {readonly (readonly [string, unknown])[]} entries */
function write(state, actor, entries) {
  const before = load(state, actor);
  const after = Automerge.change(before, (draft) => {
    for (const [name, value] of entries) draft[name] = stored(value);
  });
  const delta = Automerge.getLastLocalChange(after);
  const saved = Automerge.save(after);
  Automerge.free(after);
  return { state: saved, delta };
}

/** @type {import('../contender.mjs').Contender['merge']} */
function merge(state, delta) {
  const doc = Automerge.loadIncremental(load(state), delta);
  const saved = Automerge.save(doc);
  Automerge.free(doc);
  return saved;
}

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'automerge',
  empty: () => new Uint8Array(0),
  set: (state, { actor }, values) => write(state, actor, Object.entries(values)),
  merge,
  read: (state) =>
    Object.fromEntries(Object.entries(load(state)).map(([name, value]) => [name, plain(value)])),
  add: (state, { actor }, added) =>
    write(
      state,
      actor,
      added.map((tag) => [tag, true]),
    ),
  mergeTags: merge,
  readTags: (state) => Object.keys(load(state)),
  live: (state) => load(state),
  isWebAssembly: true,
};

/**
 * json-joy: load a model, apply the delta's patch, encode the model. Its registers are `con` nodes in an `obj`; two
 * models can be joined only by the patches between them, so it is no part of the measure of diverged states.
 */
import { Model } from 'json-joy/lib/json-crdt/index.js';
import { Patch } from 'json-joy/lib/json-crdt-patch/index.js';

/** @type {Readonly<Record<string, number>>} */
const sessions = { 'eu-1': 65_537, 'us-1': 65_538 };

/** The empty record is one and the same for all writers, as the library asks for. */
function empty() {
  const model = Model.create(undefined, 65_536);
  model.api.root({});
  model.api.flush();
  return model.toBinary();
}

/** @param {Uint8Array} state @param {string} actor @param {Readonly<Record<string, unknown>>} values */
function write(state, actor, values) {
  const model = Model.load(state, sessions[actor]);
  model.api.obj([]).set(values);
  const patch = model.api.flush();
  return { state: model.toBinary(), delta: patch.toBinary() };
}

/** @type {import('../contender.mjs').Contender['merge']} */
function merge(state, delta) {
  const model = Model.fromBinary(state);
  model.applyPatch(Patch.fromBinary(delta));
  return model.toBinary();
}

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'json-joy',
  empty,
  set: (state, { actor }, values) => write(state, actor, values),
  merge,
  read: (state) => ({ ...Model.fromBinary(state).view() }),
  add: (state, { actor }, added) => write(state, actor, Object.fromEntries(added.map((tag) => [tag, true]))),
  mergeTags: merge,
  readTags: (state) => Object.keys(Model.fromBinary(state).view()),
  live: (state) => Model.fromBinary(state),
  mergesStates: false,
};

/**
 * delta-crdts: an `ormap` of `mvreg`s for a record and an `aworset` for a set, through the codec that it brings along.
 * Its types change the states that they are given, so every call decodes anew, which bytes in and out ask for anyhow.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const crdts = require('delta-crdts');
const codec = require('delta-crdts-msgpack-codec');

/** @param {unknown} value */
const bytesOf = (value) => codec.encode(value).slice();

/** @param {string} type @param {string} actor @param {Uint8Array} state */
function replica(type, actor, state) {
  const found = crdts(type)(actor);
  if (state.length > 0) found.apply(codec.decode(Buffer.from(state)));
  return found;
}

/** @param {string} type @returns {import('../contender.mjs').Contender['merge']} */
const mergeOf = (type) => (state, delta) => {
  const found = replica(type, 'reader', state);
  found.apply(codec.decode(Buffer.from(delta)));
  return bytesOf(found.state());
};

/** @param {string} type @param {string} actor @param {Uint8Array} state @param {(found: any) => unknown[]} change */
function write(type, actor, state, change) {
  const found = replica(type, actor, state);
  const deltas = change(found);
  const { join, initial } = crdts.type(type);
  const delta = deltas.length === 1 ? deltas[0] : deltas.reduce((all, one) => join(all, one), initial());
  return { state: bytesOf(found.state()), delta: bytesOf(delta) };
}

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'delta-crdts',
  empty: () => new Uint8Array(0),
  set: (state, { actor }, values) =>
    write('ormap', actor, state, (found) =>
      Object.entries(values).map(([name, value]) => found.applySub(name, 'mvreg', 'write', value)),
    ),
  merge: mergeOf('ormap'),
  read: (state) =>
    Object.fromEntries(
      Object.entries(replica('ormap', 'reader', state).value()).map(([name, values]) => [
        name,
        [...values][0],
      ]),
    ),
  add: (state, { actor }, added) =>
    write('aworset', actor, state, (found) => added.map((tag) => found.add(tag))),
  mergeTags: mergeOf('aworset'),
  readTags: (state) => [...replica('aworset', 'reader', state).value()],
  live: (state) => replica('ormap', 'reader', state),
};

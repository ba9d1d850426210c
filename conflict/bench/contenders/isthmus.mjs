/**
 * `@isthmus/conflict` as its users call it: by its published entry, with a schema for edits and reads, and `merge`
 * from bytes to bytes. Nothing here reaches into the package.
 */
import { merge as join, mergeMany as joinMany, register, schema, set as elements } from '@isthmus/conflict';
import { fieldNames } from '../record.mjs';

const Records = schema(Object.fromEntries(fieldNames.map((name) => [name, register()])));
const Tags = schema({ tags: elements() });
const nothing = new Uint8Array(0);

/** So that the answers are used. */
const asked = { conflicts: 0 };

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'isthmus',
  empty: () => nothing,
  set: (state, { actor, ms }, values) =>
    Records.edit(state, { actor, now: ms }, (editor) => {
      for (const [name, value] of Object.entries(values)) editor.set([name], value);
    }),
  merge: (state, delta) => join(state, delta).state,
  mergeMany: (states, deltas) => joinMany(states, deltas).map(({ state }) => state),
  read: (state) => Records.read(state).value ?? {},
  add: (state, { actor, ms }, added) =>
    Tags.edit(state, { actor, now: ms }, (editor) => editor.add(['tags'], added)),
  mergeTags: (state, delta) => join(state, delta).state,
  readTags: (state) => Tags.read(state).value?.tags ?? [],
};

/**
 * Also asks which registers are left with concurrent values, which a merge works out only when asked.
 * @type {import('../contender.mjs').Contender}
 */
export const askingContender = {
  ...contender,
  name: 'isthmus, asked',
  merge(state, delta) {
    const { state: joined, conflicts } = join(state, delta);
    asked.conflicts += conflicts.length;
    return joined;
  },
  onlyIn: 'merge_diverged',
};

/**
 * Hand-written last-writer-wins over JSON, as a good engineer writes it in an afternoon: a field is [value, time,
 * writer], the later time wins, ties go to the greater writer, and a merge that changes nothing neither stringifies nor
 * copies. Sets are observed-remove sets that remember which writes they saw, and rely on each writer's deltas
 * arriving in order. It keeps no concurrent values, no nested maps and no exact deletes: it does less than the others.
 */
import { Buffer } from 'node:buffer';

const decoder = new TextDecoder();

/** @param {Uint8Array} bytes */
const parse = (bytes) => JSON.parse(decoder.decode(bytes));

/** Of the ways in and out of text that Node has, these two are the fastest. @param {unknown} value */
const bytesOf = (value) => Buffer.from(JSON.stringify(value), 'utf8');

/** @type {import('../contender.mjs').Contender['merge']} */
function merge(state, delta) {
  const mine = parse(state);
  const theirs = parse(delta);
  let changed = false;
  for (const name in theirs) {
    const field = theirs[name];
    const known = mine[name];
    if (known !== undefined && (known[1] > field[1] || (known[1] === field[1] && known[2] >= field[2])))
      continue;
    mine[name] = field;
    changed = true;
  }
  return changed ? bytesOf(mine) : state;
}

/** Whether a write was seen: `seen` is the last of the writer's writes, or, in deltas, a list of them. */
function saw(seen, counter) {
  if (seen === undefined) return false;
  return typeof seen === 'number' ? counter <= seen : seen.includes(counter);
}

/** @type {import('../contender.mjs').Contender['mergeTags']} */
function mergeTags(state, delta) {
  const mine = parse(state);
  const theirs = parse(delta);
  let changed = false;
  for (const element in mine.elements) {
    const writers = mine.elements[element];
    for (const actor in writers) {
      if (theirs.elements[element]?.[actor] === writers[actor] || !saw(theirs.seen[actor], writers[actor]))
        continue;
      delete writers[actor];
      changed = true;
    }
    if (Object.keys(writers).length === 0) delete mine.elements[element];
  }
  for (const element in theirs.elements) {
    const writers = theirs.elements[element];
    for (const actor in writers) {
      if (saw(mine.seen[actor], writers[actor])) continue;
      mine.elements[element] = { ...mine.elements[element], [actor]: writers[actor] };
      changed = true;
    }
  }
  for (const actor in theirs.seen) {
    const seen = theirs.seen[actor];
    const last = typeof seen === 'number' ? seen : Math.max(...seen);
    if (last <= (mine.seen[actor] ?? 0)) continue;
    mine.seen[actor] = last;
    changed = true;
  }
  return changed ? bytesOf(mine) : state;
}

/** @type {import('../contender.mjs').Contender} */
export const contender = {
  name: 'json',
  empty: () => bytesOf({}),
  set(state, { actor, ms }, values) {
    const known = parse(state);
    const latest = Math.max(ms, ...Object.values(known).map((field) => field[1] + 1));
    const written = Object.entries(values).map(([name, value]) => [name, [value, latest, actor]]);
    const delta = bytesOf(Object.fromEntries(written));
    return { state: merge(state, delta), delta };
  },
  merge,
  read: (state) => Object.fromEntries(Object.entries(parse(state)).map(([name, field]) => [name, field[0]])),
  add(state, { actor }, added) {
    const known = state.length === 2 ? { seen: {}, elements: {} } : parse(state);
    const first = (known.seen[actor] ?? 0) + 1;
    const seen = added.map((_, index) => first + index);
    const elements = Object.fromEntries(added.map((element, index) => [element, { [actor]: first + index }]));
    const delta = bytesOf({ seen: { [actor]: seen }, elements });
    return { state: mergeTags(bytesOf(known), delta), delta };
  },
  mergeTags,
  readTags: (state) => Object.keys(parse(state).elements),
};

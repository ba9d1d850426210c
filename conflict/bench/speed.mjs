/**
 * The timed measures: each is a workload, the contenders that do it right, and their rates in interleaved rounds. A
 * contender that fails a workload's check is named in the notes and not timed.
 */
import { BenchError } from './contender.mjs';
import { ratioOf, rates, spreadOf, sum, warm } from './measure.mjs';
import { chanceFrom } from './record.mjs';
import {
  copyOf,
  divergedPairs,
  duplicatePairs,
  firstPairs,
  hotPairs,
  manyPair,
  overtakenPairs,
  setPairs,
} from './workloads.mjs';

/**
 * @typedef {import('./contender.mjs').Contender} Contender
 * @typedef {import('./workloads.mjs').Pair} Pair
 * @typedef {{ readonly name: string, readonly title: string, readonly rows: ReadonlyMap<string, import('./measure.mjs').Rates>, readonly notes: readonly string[] }} Race
 */

const workloads = [
  {
    name: 'merge_hot',
    title: 'one-field delta into a 10-field record, hot',
    prepare: hotPairs,
    merge: 'merge',
  },
  {
    name: 'duplicate_delta',
    title: 'a delta that the state has already',
    prepare: duplicatePairs,
    merge: 'merge',
  },
  {
    name: 'merge_diverged',
    title: 'two states, three fields apart on both sides',
    prepare: divergedPairs,
    merge: 'merge',
  },
  {
    name: 'merge_overtaken',
    title: 'a delta whose forerunner is missing',
    prepare: overtakenPairs,
    merge: 'merge',
  },
  {
    name: 'merge_first',
    title: 'the first delta of a 10-field record',
    prepare: firstPairs,
    merge: 'merge',
  },
  {
    name: 'set_add',
    title: 'one element into an observed-remove set of 20',
    prepare: setPairs,
    merge: 'mergeTags',
  },
];

/** Of very many, those that engines are warmed with; the rest is cold when its turn comes. */
const warmRecords = 1000;

/** Pairs that are handed over together, and of how many a state is asked for before the first is merged. */
const batchSize = 256;
const groupSize = 16;

export const speedNames = workloads.map(({ name }) => name);

/**
 * @param {string} name
 * @param {readonly Contender[]} contenders
 * @param {{ readonly rounds: number, readonly roundMs: number }} options
 * @returns {Race}
 */
export function race(name, contenders, options) {
  const workload = workloads.find((one) => one.name === name);
  if (workload === undefined) throw new BenchError(`no workload ${name}`);
  const notes = [];
  const tasks = contenders.flatMap((contender) => {
    if (contender.onlyIn !== undefined && contender.onlyIn !== name) return [];
    try {
      return [taskOf(contender, workload.prepare(contender), contender[workload.merge])];
    } catch (cause) {
      if (contender.name === 'isthmus') throw cause;
      notes.push(`left out: ${cause.message}`);
      return [];
    }
  });
  return { name, title: workload.title, rows: rates(tasks, options), notes };
}

/** @param {Contender} contender @param {readonly Pair[]} pairs @param {Contender['merge']} merge */
function taskOf(contender, pairs, merge) {
  const run = (count) => {
    let bytes = 0;
    for (let done = 0, at = 0; done < count; done++) {
      const pair = pairs[at];
      bytes += merge(pair.state, pair.delta).length;
      at = at + 1 === pairs.length ? 0 : at + 1;
    }
    return bytes;
  };
  return { name: contender.name, run };
}

/**
 * The hot work over very many records in random order, each merged once. States lie anywhere in memory; deltas lie in
 * the order in which they are merged, as a stream brings them, and so many at a time. `inBatches` hands over the pairs
 * together, so that several states are waited for at once: by the library's own way, or else by `lookingAhead`. `keep`
 * puts a copy of the result into the store, as an application that holds its records in memory does; else the result is
 * handed on, as to a database.
 * @param {readonly Contender[]} contenders
 * @param {{ readonly rounds: number, readonly count: number, readonly keep: boolean, readonly inBatches: boolean }} options
 * @returns {Omit<Race, 'name'>}
 */
export function raceMany(contenders, { rounds, count, keep, inBatches }) {
  const order = shuffled(count);
  const tasks = contenders.map((contender) => {
    const { name, merge } = contender;
    const pairs = Array.from({ length: count }, (_, seed) => manyPair(contender, seed));
    const states = pairs.map(({ state }) => state);
    const deltas = Array.from(order, (record) => copyOf(pairs[record].delta));
    const some = pairs.slice(0, warmRecords);
    if (!inBatches) {
      return {
        name,
        run: walk(merge, { states, deltas, order, keep }),
        some: taskOf(contender, some, merge),
      };
    }
    const many = contender.mergeMany ?? lookingAhead(merge);
    return { name, run: walkBatches(many, { states, deltas, order, keep }), some: batchesOf(many, some) };
  });
  const handing = keep ? 'copies of the results kept' : 'results handed on';
  const way = inBatches ? `in batches of ${batchSize}` : 'one by one';
  const title = `one-field deltas into ${count.toLocaleString('en')} records in random order, ${way}, ${handing}`;
  const perRound = Math.floor(count / (rounds + 1));
  for (const task of tasks) {
    warm(task.some);
    task.run(perRound);
  }
  return { title, rows: rates(tasks, { rounds, roundMs: 0, count: perRound }), notes: [] };
}

/** @typedef {{ readonly states: Uint8Array[], readonly deltas: readonly Uint8Array[], readonly order: Uint32Array, readonly keep: boolean }} Store */

/** @param {Contender['merge']} merge @param {Store} store */
function walk(merge, { states, deltas, order, keep }) {
  let next = 0;
  return (count) => {
    let bytes = 0;
    for (const end = next + count; next < end; next++) {
      const record = order[next];
      const joined = merge(states[record], deltas[next]);
      bytes += joined.length;
      if (keep) states[record] = copyOf(joined);
    }
    return bytes;
  };
}

/** The same in batches. @param {NonNullable<Contender['mergeMany']>} mergeMany @param {Store} store */
function walkBatches(mergeMany, { states, deltas, order, keep }) {
  let next = 0;
  return (count) => {
    let bytes = 0;
    for (const end = next + count; next < end; ) {
      const first = next;
      next = Math.min(first + batchSize, end);
      const mine = [];
      for (let at = first; at < next; at++) mine.push(states[order[at]]);
      const merged = mergeMany(mine, deltas.slice(first, next));
      for (let index = 0; index < merged.length; index++) {
        bytes += merged[index].length;
        if (keep) states[order[first + index]] = copyOf(merged[index]);
      }
    }
    return bytes;
  };
}

/** What engines are warmed with for it. @param {NonNullable<Contender['mergeMany']>} mergeMany @param {readonly Pair[]} pairs */
function batchesOf(mergeMany, pairs) {
  const states = pairs.slice(0, batchSize).map(({ state }) => state);
  const deltas = pairs.slice(0, batchSize).map(({ delta }) => delta);
  const run = (count) => {
    let bytes = 0;
    for (let done = 0; done < count; done += states.length) {
      const left = Math.min(count - done, states.length);
      for (const joined of mergeMany(states.slice(0, left), deltas.slice(0, left))) bytes += joined.length;
    }
    return bytes;
  };
  return { name: 'batches', run };
}

/**
 * Merges in batches for libraries that have no way of their own, and waits for memory as ours does: a byte of each of
 * the next states is read before the first of them is merged.
 * @param {Contender['merge']} merge
 * @returns {NonNullable<Contender['mergeMany']>}
 */
function lookingAhead(merge) {
  return (states, deltas) => {
    const merged = [];
    while (merged.length < states.length) {
      const end = Math.min(merged.length + groupSize, states.length);
      for (let at = merged.length; at < end; at++) sum.value += states[at][0];
      for (let at = merged.length; at < end; at++) merged.push(merge(states[at], deltas[at]));
    }
    return merged;
  };
}

/** @param {number} count */
function shuffled(count) {
  const chance = chanceFrom(count);
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(chance() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** A measure's name: the plain one for ours, else with the contender's behind. @param {string} measure @param {string} contender */
export function nameFor(measure, contender) {
  if (contender === 'isthmus') return measure;
  const words = contender.toLowerCase().match(/[a-z]+/g) ?? [];
  return [measure, ...words].join('_');
}

/** Rates of all and ratios of ours to each, by the clock and by processor time. @param {Race} race */
export function measuresOf({ name, rows }) {
  const ours = rows.get('isthmus');
  return [...rows].flatMap(([contender, theirs]) => {
    const rate = { name: nameFor(`${name}_per_s`, contender), unit: '1/s', ...spreadOf(theirs.byClock) };
    if (contender === 'isthmus') return [rate];
    const byClock = ratioOf(ours.byClock, theirs.byClock);
    const byProcessor = ratioOf(ours.byProcessor, theirs.byProcessor);
    return [
      rate,
      { name: nameFor(`${name}_ratio_to`, contender), unit: 'ratio', ...byClock },
      { name: nameFor(`${name}_processor_ratio_to`, contender), unit: 'ratio', ...byProcessor },
    ];
  });
}

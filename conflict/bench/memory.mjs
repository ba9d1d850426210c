/**
 * Memory that records take when a process keeps them: a process for each contender and form, garbage collected before
 * and after, and nothing else growing in it. `bytes` keeps a copy of each state, as one is told to do who keeps small
 * results for long; `live` keeps the documents that a library works on. "Counted" is what the engine accounts for, in
 * its heap and outside of it, the memory of WebAssembly included; "resident" is what the system gave, which also holds
 * what the engine has freed and not given back.
 */
import { pathToFileURL } from 'node:url';
import { askChild } from './child.mjs';
import { loadContender } from './contender.mjs';
import { chanceFrom, recordOf } from './record.mjs';
import { copyOf } from './workloads.mjs';

const edit = { actor: 'eu-1', ms: 1_764_000_000_000 };

/**
 * @param {string} contender
 * @param {'bytes' | 'live'} form
 * @param {number} count
 * @returns {{ readonly counted: number, readonly resident: number }} Bytes per record.
 */
export const memoryOf = (contender, form, count) =>
  askChild('./memory.mjs', [contender, form, String(count)]);

/** @param {string} name @param {string} form @param {number} count */
async function fill(name, form, count) {
  const contender = await loadContender(name);
  const packed = pack(contender, count);
  const keep = (index) => (form === 'live' ? contender.live(packed.at(index)) : copyOf(packed.at(index)));
  const kept = Array.from({ length: count }, () => null);
  for (let index = 0; index < Math.min(200, count); index++) keep(index);
  const before = await settled();
  for (let index = 0; index < count; index++) kept[index] = keep(index);
  const after = await settled();
  return {
    counted: (after.counted - before.counted) / kept.length,
    resident: (after.resident - before.resident) / kept.length,
  };
}

/** Makes all states first and lays them into one buffer, so that what making them takes is not counted. */
function pack(contender, count) {
  const ends = new Float64Array(count + 1);
  let buffer = new Uint8Array(2 ** 20);
  for (let index = 0; index < count; index++) {
    const { state } = contender.set(contender.empty(), edit, recordOf(chanceFrom(index)));
    ends[index + 1] = ends[index] + state.length;
    if (ends[index + 1] > buffer.length) {
      const grown = new Uint8Array(2 * buffer.length + state.length);
      grown.set(buffer);
      buffer = grown;
    }
    buffer.set(state, ends[index]);
  }
  return { at: (index) => buffer.subarray(ends[index], ends[index + 1]) };
}

/** Collects until finalizers, which free what lies outside of the heap, have run. */
async function settled() {
  for (let turn = 0; turn < 4; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { counted: heapUsed + external, resident: rss };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , name = '', form = '', count = ''] = process.argv;
  process.stdout.write(JSON.stringify(await fill(name, form, Number(count))));
}

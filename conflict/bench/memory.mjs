/**
 * Memory that records take when a process keeps them: a process for each contender and form, garbage collected before
 * and after, and nothing else growing in it. `bytes` keeps a copy of each state, as one is told to do who keeps small
 * results for long; `live` keeps the documents that a library works on. "Counted" is what the engine accounts for, in
 * its heap and outside of it, the memory of WebAssembly included; "resident" is what the system gave, which also holds
 * what the engine has freed and not given back.
 */
import { pathToFileURL } from 'node:url';
import { askChild, askChildBytes } from './child.mjs';
import { loadContender } from './contender.mjs';
import { chanceFrom, recordOf } from './record.mjs';
import { copyOf } from './workloads.mjs';

/** @typedef {import('./contender.mjs').Contender} Contender */

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
  const { ends, bytes } = form === 'live' ? packApart(name, count) : pack(contender, count);
  const keep = (index) => {
    const state = bytes.subarray(ends[index], ends[index + 1]);
    return form === 'live' ? contender.live(state) : copyOf(state);
  };
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

/** All states in one buffer, so that what making them takes is not counted. @param {Contender} contender @param {number} count */
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
  return { ends, bytes: buffer.subarray(0, ends[count]) };
}

/** The same by another process, because WebAssembly never gives back the memory that it grew by. @param {string} name @param {number} count */
function packApart(name, count) {
  const output = askChildBytes('./memory.mjs', [name, 'pack', String(count)]);
  const headBytes = Float64Array.BYTES_PER_ELEMENT * (count + 1);
  const ends = new Float64Array(copyOf(output.subarray(0, headBytes)).buffer);
  return { ends, bytes: copyOf(output.subarray(headBytes)) };
}

/** Collects until finalizers, which free what lies outside of the heap, have run and nothing more goes. */
async function settled() {
  let last = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 20; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    const { heapUsed, external } = process.memoryUsage();
    const counted = heapUsed + external;
    if (turn > 3 && counted > 0.9999 * last) break;
    last = counted;
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { counted: heapUsed + external, resident: rss };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , name = '', form = '', count = ''] = process.argv;
  if (form === 'pack') {
    const { ends, bytes } = pack(await loadContender(name), Number(count));
    process.stdout.write(new Uint8Array(ends.buffer));
    process.stdout.write(bytes);
  } else process.stdout.write(JSON.stringify(await fill(name, form, Number(count))));
}

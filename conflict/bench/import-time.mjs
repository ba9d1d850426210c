/**
 * How long the first `import` of a library takes, in fresh processes. Node's loader is warmed with an empty module
 * first, and the time of another empty module is taken off. What remains of a package is Node's search for it, which an
 * empty package shows, and the library's own reading, compiling and running; a bundle is not searched for.
 */
import { pathToFileURL } from 'node:url';
import { askChild } from './child.mjs';

export const importable = {
  'isthmus, package': '@isthmus/conflict',
  'an empty package': '@isthmus/nothing',
  yjs: 'yjs',
  automerge: '@automerge/automerge',
  loro: 'loro-crdt',
  'json-joy': 'json-joy/lib/json-crdt/index.js',
  'delta-crdts': 'delta-crdts',
};

/** @param {string} specifier @param {number} runs @returns {readonly { readonly clock: number, readonly processor: number }[]} Milliseconds. */
export const importTimes = (specifier, runs) =>
  Array.from({ length: runs }, () => askChild('./import-time.mjs', [specifier]));

/** @param {string} specifier */
async function timed(specifier) {
  const used = process.cpuUsage();
  const start = performance.now();
  await import(specifier);
  const clock = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  return { clock, processor: (user + system) / 1e3 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await timed('./empty.mjs?first');
  const empty = await timed('./empty.mjs?second');
  const whole = await timed(process.argv[2] ?? '');
  const own = { clock: whole.clock - empty.clock, processor: whole.processor - empty.processor };
  process.stdout.write(JSON.stringify(own));
}

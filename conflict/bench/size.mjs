/**
 * What a user's bundle grows by: the core, which is what a program imports that edits, merges, reads and seals records
 * of all types but text; and each export of the package, whole; bundled and minified alone, then compressed. Yjs is left
 * outside, because only who has texts needs it; the figure with it is given beside the whole. WebAssembly of others is
 * counted, as it is sent to the user too; what others need of Node's own modules in a browser is not.
 */
import { builtinModules } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { BenchError } from './contender.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const library = '@isthmus/conflict';
const packageFile = join(here, 'node_modules', library, 'package.json');

/** @typedef {{ readonly name: string, readonly minified: number, readonly gzip: number }} Size */

/** What a program imports that has no texts, and asks for nothing but records. */
const coreNames = [
  'schema',
  'register',
  'counter',
  'boundedCounter',
  'set',
  'map',
  'merge',
  'seal',
  'open',
  'ConflictError',
  'AssertionFailure',
];

/** @param {readonly string[]} specifiers */
const wholeOf = (specifiers) =>
  specifiers.map((specifier, index) => `export * as e${index} from '${specifier}';`).join('\n');

const coreContents = `export { ${coreNames.join(', ')} } from '${library}';`;
/** With the merging of many pairs at once, which pays where states lie in no cache. */
const batchContents = `export { ${[...coreNames, 'mergeMany'].join(', ')} } from '${library}';`;

/** @param {string} name @param {string} contents @param {readonly string[]} external @returns {Promise<Uint8Array>} */
async function bundleOf(name, contents, external) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'silent',
    loader: { '.wasm': 'binary' },
    external: [...external],
  });
  const [output] = outputFiles;
  if (output === undefined) throw new BenchError(`${name} made no bundle`);
  return output.contents;
}

/** @param {string} name @param {string} contents @param {readonly string[]} external @returns {Promise<Size>} */
async function sizeOf(name, contents, external) {
  const bundle = await bundleOf(name, contents, external);
  return { name, minified: bundle.length, gzip: gzipSync(bundle, { level: 9 }).length };
}

/** The core as a file of its own, whose import can be timed. @returns {Promise<string>} Its address. */
export async function writeCore() {
  const path = join(here, 'node_modules', '.core.mjs');
  writeFileSync(path, await bundleOf('core', coreContents, ['yjs']));
  return pathToFileURL(path).href;
}

/** The exports as they stand in the package's own file. @returns {readonly string[]} */
function exportedPaths() {
  const own = JSON.parse(readFileSync(packageFile, 'utf8'));
  return Object.keys(own.exports).filter((path) => !path.endsWith('.json'));
}

/** The first size is that of the core. @returns {Promise<readonly Size[]>} */
export async function ownSizes() {
  const specifiers = exportedPaths().map((path) => library + path.slice(1));
  const sizes = [
    await sizeOf('core', coreContents, ['yjs']),
    await sizeOf('core and mergeMany', batchContents, ['yjs']),
  ];
  for (const specifier of specifiers) {
    sizes.push(await sizeOf(specifier, `export * from '${specifier}';`, ['yjs']));
  }
  sizes.push(await sizeOf('all exports', wholeOf(specifiers), ['yjs']));
  sizes.push(await sizeOf('all exports with yjs', wholeOf(specifiers), []));
  return sizes;
}

/** What is bundled of the others; of Loro the export that has its WebAssembly within. */
const others = {
  yjs: 'yjs',
  automerge: '@automerge/automerge',
  loro: 'loro-crdt/base64',
  'json-joy': 'json-joy/lib/json-crdt/index.js',
  'delta-crdts': 'delta-crdts',
};

/** @returns {Promise<readonly (Size | { readonly name: string, readonly cause: string })[]>} */
export async function otherSizes() {
  const sizes = [];
  for (const [name, specifier] of Object.entries(others)) {
    try {
      sizes.push(await sizeOf(name, `export * from '${specifier}';`, builtinModules));
    } catch (cause) {
      sizes.push({ name, cause: cause.message.split('\n').slice(0, 2).join(' ') });
    }
  }
  return sizes;
}

/** Version of the library that is measured. @returns {string} */
export const measuredVersion = () => JSON.parse(readFileSync(packageFile, 'utf8')).version;

/**
 * What `npm pack` puts in the place of the compiled modules: one file for each entry of `exports`, straight from the
 * sources, and what entries share in chunks, so that a class has one identity whichever entry it came by. A program
 * that imports one file instead of fifty starts several times faster, and a minified one faster still; source maps lead
 * back to the sources, which are in the package. `yjs` stays outside.
 */
import { readFileSync } from 'node:fs';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const built = Object.values(exports).map((entry) => /^\.\/dist\/(.+)\.js$/.exec(entry.default)?.[1]);

export default {
  input: Object.fromEntries(built.map((name) => [name, `src/${name}.ts`])),
  external: ['yjs'],
  platform: 'neutral',
  output: {
    dir: 'dist',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name].js',
    // Every file costs a program that starts half a millisecond, so all that entries share is one.
    codeSplitting: { groups: [{ name: 'core', test: /\/src\/(?!testing\/|text\/)/ }] },
    minify: true,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
};

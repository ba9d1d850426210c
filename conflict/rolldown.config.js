/**
 * What `npm pack` puts in the place of the compiled modules, straight from the sources. The main entry is one file and
 * imports nothing: every file costs a program that starts half a millisecond, and a minified one starts faster still. The
 * other entries take from the main one whatever is public there, so that a class has one identity whichever entry it came
 * by, and have copies of what is not, which keeps nothing. Members of inner objects have one letter each; a text's
 * engine is handed some of these objects, so it has the same letters. Source maps lead back to the sources, which are in
 * the package. `yjs` stays outside.
 */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const here = import.meta.dirname;
const { exports } = JSON.parse(readFileSync(resolve(here, 'package.json'), 'utf8'));
const mainSource = resolve(here, 'src/index.ts');
const errors = resolve(here, 'src/errors.ts');
const [main, ...others] = Object.values(exports).map(
  (entry) => /^\.\/dist\/(.+)\.js$/.exec(entry.default)?.[1],
);

/** Members that no user ever meets, of which none has the name of a public one. */
const innerMembers = [
  'payload',
  'check',
  'live',
  'place',
  'tag',
  'key',
  'label',
  'mark',
  'nowMs',
  'options',
  'root',
  'isStable',
  'overwrite',
  'addToSlot',
  'adds',
  'child',
  'children',
  'isWhole',
  'lastWriterWins',
  'minor',
  'body',
  'stampText',
  'sub',
  'supersede',
  'write',
  'nextCounter',
  'show',
  'maxBytes',
  'maxDepth',
  'written',
  'gone',
  'found',
  'due',
  'raiseSlot',
  'draft',
  'reset',
];
// The letters that minified variables have most, so that they compress.
const letters = 'tneriolufacsdgpmwhyvbkqxjzAMPXTRCNKD';
const mangleProps = {
  include: new RegExp(`^(?:${innerMembers.join('|')})$`, 'u'),
  cache: Object.fromEntries(innerMembers.map((name, index) => [name, letters[index]])),
};

/** Modules of which the main entry exports more than types. */
const publicModules = new Set(
  [...readFileSync(mainSource, 'utf8').matchAll(/^export \{[^}]*\} from '(.+)';$/gmu)].map(([, path]) =>
    resolve(dirname(mainSource), path),
  ),
);

/** Copies of inner modules keep to themselves, but there is one class of errors. */
const fromMain = {
  name: 'public-from-main',
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith('.')) return null;
    const path = resolve(dirname(importer), source);
    const isOfEntry = /\/src\/(?:testing|text)\//u.test(importer);
    const isPublic = path === errors || (isOfEntry && publicModules.has(path));
    return isPublic ? { id: '../index.js', external: true } : null;
  },
};

/** One file for one entry. */
const fileOf = (name, rest) => ({
  input: { [name]: `src/${name}.ts` },
  platform: 'neutral',
  ...rest,
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    cleanDir: name === main,
    minify: { compress: true, mangle: true, codegen: true, mangleProps },
    // One character beyond Latin-1 makes an engine keep and compile all of a file at two bytes a character.
    charset: 'ascii',
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});

export default [
  fileOf(main, {}),
  ...others.map((name) => fileOf(name, { external: ['yjs'], plugins: [fromMain] })),
];

/** What a stranger gets from `npm pack`, and that it works in an empty project, with and without Yjs. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { importsOf, root } from '../tidy/tree.ts';
import { compile, packPackage } from './packed-package.ts';
import type { PackedPackage, Project } from './packed-package.ts';

let packed: PackedPackage;
let bare: Project;
let withYjs: Project;

beforeAll(async () => {
  packed = await packPackage();
  bare = await packed.install();
  withYjs = await packed.install('yjs', 'lib0', 'isomorphic.js');
}, 120_000);

afterAll(() => packed.remove());

const home = () => join(bare.folder, 'node_modules/@isthmus/conflict');
const manifestShape = z.object({
  dependencies: z.unknown().optional(),
  sideEffects: z.boolean(),
  exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
  peerDependenciesMeta: z.unknown(),
});
const mapShape = z.object({ sources: z.array(z.string()) });
const json = (path: string): unknown => JSON.parse(readFileSync(join(home(), path), 'utf8'));
const manifest = () => manifestShape.parse(json('package.json'));

function files(): readonly string[] {
  return readdirSync(home(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(home(), join(entry.parentPath, entry.name)));
}

test('nothing is in it but what is compiled, its sources, the vectors and the pages', () => {
  const built =
    /^(?:src\/.*\.ts|dist\/.*\.(?:js|d\.ts)(?:\.map)?|vectors\/(?:README\.md|[a-z]+\.json|java\/Check\.java))$/;
  const other = files().filter((path) => !built.test(path));
  const pages = ['API.md', 'FORMAT.md', 'LICENSE', 'README.md', 'RECIPES.md', 'package.json'];
  expect(other.toSorted()).toEqual(expect.arrayContaining(pages));
  expect(other.filter((path) => !/^[A-Z]+(?:\.md)?$|^package\.json$/.test(path))).toEqual([]);
  expect(files().filter((path) => /test\.|fuzz|bench|(?:src|dist)\/vectors|buildinfo/.test(path))).toEqual(
    [],
  );
  expect(readFileSync(join(home(), 'LICENSE'), 'utf8')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
});

test('every entry is there with its types, each in one file, and the main one imports nothing', () => {
  for (const entry of Object.values(manifest().exports)) {
    expect(existsSync(join(home(), entry.types)), entry.types).toBe(true);
    expect(existsSync(join(home(), entry.default)), entry.default).toBe(true);
  }
  const entries = Object.values(manifest().exports).map((entry) => entry.default.slice(2));
  const scripts = files().filter((path) => path.endsWith('.js'));
  expect(scripts.toSorted()).toEqual(entries.toSorted());
  const text = readFileSync(join(home(), 'dist/index.js'), 'utf8');
  expect(importsOf({ path: 'dist/index.js', text })).toEqual([]);
  expect(text).toMatch(/^\p{ASCII}*$/u);
});

test('members of inner objects have one letter, and no public member has the name of one', () => {
  const config = readFileSync(join(root, 'conflict/rolldown.config.js'), 'utf8');
  const list = /const innerMembers = \[(.*?)\];/s.exec(config)?.[1] ?? '';
  const names = [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(20);
  expect(new Set(names).size).toBe(names.length);
  const pages = readFileSync(join(home(), 'API.md'), 'utf8');
  const scripts = files().filter((path) => path.endsWith('.js'));
  const code = scripts.map((path) => readFileSync(join(home(), path), 'utf8')).join('\n');
  const members = (name: string) => new RegExp(`^ +(?:readonly |get |static )*${name}\\??[<(:]`, 'm');
  expect(names.filter((name) => members(name).test(pages))).toEqual([]);
  expect(names.filter((name) => new RegExp(`\\.${name}\\b|[{,]${name}[:(]`).test(code))).toEqual([]);
});

test('it depends on nothing, and on Yjs only where text is wanted', () => {
  expect(manifest().dependencies).toBeUndefined();
  expect(manifest().peerDependenciesMeta).toEqual({ yjs: { optional: true } });
  expect(manifest().sideEffects).toBe(false);
  const found = files()
    .filter((path) => /\.(?:js|d\.ts)$/.test(path))
    .flatMap((path) => importsOf({ path, text: readFileSync(join(home(), path), 'utf8') }))
    .filter((specifier) => !specifier.startsWith('.'));
  expect([...new Set(found)]).toEqual(['yjs']);
});

test('every map leads to a source that is there', () => {
  const maps = files().filter((path) => path.endsWith('.map'));
  expect(maps.length).toBeGreaterThan(50);
  const lost = maps.flatMap((path) => {
    const { sources } = mapShape.parse(json(path));
    return sources.filter((source) => !existsSync(join(home(), dirname(path), source)));
  });
  expect(lost).toEqual([]);
  const unmapped = files()
    .filter((path) => /\.(?:js|d\.ts)$/.test(path))
    .filter((path) => !maps.includes(`${path}.map`));
  expect(unmapped).toEqual([]);
});

test('the packed entries export what the sources do, and nothing else', async () => {
  for (const [entry, source] of [
    ['@isthmus/conflict', await import('../../conflict/src/index.ts')],
    ['@isthmus/conflict/testing', await import('../../conflict/src/testing/index.ts')],
  ] as const) {
    const names = `console.log(Object.keys(await import('${entry}')).sort().join())`;
    const found = await withYjs.node(['--input-type=module', '--eval', names]);
    expect(found.trim()).toBe(Object.keys(source).toSorted().join());
  }
});

test('packing leaves the compiled modules as the compiler alone would', () => {
  const dist = join(packed.source, 'conflict/dist');
  expect(readFileSync(join(dist, 'index.js'), 'utf8')).toContain("from './record/merge.js'");
  expect(existsSync(join(dist, 'record/merge.js'))).toBe(true);
});

test('without Yjs the core works, and a text says what is missing', async () => {
  const program = `
    import { register, schema, text } from '@isthmus/conflict';
    const Page = schema({ title: register(), body: text() });
    const edit = (change) => Page.edit(new Uint8Array(0), { actor: 'a', now: 1 }, change).state;
    console.log(Page.read(edit((e) => e.set('title', 'x'))).value.title);
    try { edit((e) => e.splice('body', [{ at: 0, insert: 'x' }])); }
    catch (error) { console.log(error.code, error.field); }
    console.log(await import('@isthmus/conflict/text').catch(({ code }) => code));
  `;
  expect(await bare.node(['--input-type=module', '--eval', program])).toBe(
    'x\ntext-engine-missing body\nERR_MODULE_NOT_FOUND\n',
  );
});

test('with Yjs a text works, and its errors are of the class of the core', async () => {
  const program = `
    import { ConflictError, schema, text } from '@isthmus/conflict';
    import { yjsText } from '@isthmus/conflict/text';
    const Page = schema({ body: text() }, { text: yjsText });
    const edit = (change) => Page.edit(new Uint8Array(0), { actor: 'a', now: 1 }, change).state;
    console.log(Page.read(edit((e) => e.splice('body', [{ at: 0, insert: 'hello' }]))).value.body);
    try { edit((e) => e.splice('body', [{ at: 9 }])); }
    catch (error) { console.log(error instanceof ConflictError, error.rule); }
  `;
  expect(await withYjs.node(['--input-type=module', '--eval', program])).toBe('hello\ntrue within-text\n');
});

test.for(['node16', 'nodenext', 'bundler'] as const)(
  'its types hold under strict rules with moduleResolution %s',
  { timeout: 60_000 },
  async (moduleResolution) => {
    const program = `
      import { counter, merge, register, schema, set } from '@isthmus/conflict';
      import { yjsText } from '@isthmus/conflict/text';
      const Product = schema({ title: register(), tags: set(), likes: counter() }, { text: yjsText });
      const { value } = Product.read(merge(new Uint8Array(0), new Uint8Array(0)).state);
      export const likes: number | undefined = value?.likes;
      // @ts-expect-error
      export const wrong: string | undefined = value?.likes;
    `;
    writeFileSync(join(withYjs.folder, 'typed.ts'), program);
    await compile(withYjs, { moduleResolution });
  },
);

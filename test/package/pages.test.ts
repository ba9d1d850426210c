/** The pages of the package say what is so: their examples run in an empty project, and their tables are complete. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../tidy/tree.ts';
import { expectedOf, languagesOf, printedBy, programOf } from './doc-program.ts';
import { compile, packPackage } from './packed-package.ts';
import type { PackedPackage } from './packed-package.ts';

const readme = join(root, 'conflict/README.md');
const recipes = join(root, 'conflict/RECIPES.md');

let packed: PackedPackage;

beforeAll(async () => {
  packed = await packPackage();
}, 120_000);

afterAll(() => packed.remove());

describe('README', () => {
  test.for(['node16', 'nodenext', 'bundler'] as const)(
    'the first example runs without Yjs, checked with moduleResolution %s',
    { timeout: 60_000 },
    async (moduleResolution) => {
      const project = await packed.install();
      const [first = ''] = programOf(readme).blocks;
      writeFileSync(join(project.folder, 'first.ts'), first);
      await compile(project, { moduleResolution });
      const printed = await printedBy(project, 'first');
      expect(printed).toEqual(expectedOf({ blocks: [first], code: first }));
      expect(printed.length).toBe(2);
    },
  );

  test('all examples print what their comments say', { timeout: 60_000 }, async () => {
    const project = await packed.install('yjs', 'lib0', 'isomorphic.js');
    const program = programOf(readme);
    writeFileSync(join(project.folder, 'readme.ts'), program.code);
    await compile(project, { moduleResolution: 'nodenext' });
    const printed = await printedBy(project, 'readme');
    expect(printed).toEqual(expectedOf(program));
    expect(printed.length).toBeGreaterThan(15);
  });

  test('every code of an error is in the table', () => {
    const source = readFileSync(join(root, 'conflict/src/errors.ts'), 'utf8');
    const union = /type ConflictCode =([\s\S]*?);/.exec(source)?.[1] ?? '';
    const codes = [...union.matchAll(/'([a-z-]+)'/g)].map((match) => match[1]);
    const rows = [...readFileSync(readme, 'utf8').matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
    expect(codes.length).toBeGreaterThan(10);
    expect(rows).toEqual(codes);
  });
});

test('no block of code is passed over', () => {
  expect(new Set(languagesOf(readme))).toEqual(new Set(['sh', 'ts']));
  expect(new Set(languagesOf(recipes))).toEqual(new Set(['ts']));
  const recipesText = readFileSync(recipes, 'utf8');
  const sections = [...recipesText.matchAll(/^## (.*)$/gm)].map((match) => match[1]);
  expect(sections).toEqual([
    'Your own Postgres service',
    'Offline edits in a browser',
    'Over a queue',
    'Collecting what was deleted',
  ]);
  expect(recipesText.indexOf('```')).toBeGreaterThan(recipesText.indexOf('## '));
});

test.each([
  ['Over a queue', 'queue'],
  ['Collecting what was deleted', 'collecting'],
])('the recipe "%s" prints what its comments say', { timeout: 60_000 }, async (section, name) => {
  const project = await packed.install();
  const program = programOf(recipes, section);
  writeFileSync(join(project.folder, `${name}.ts`), program.code);
  await compile(project, { moduleResolution: 'nodenext' });
  expect(await printedBy(project, name)).toEqual(expectedOf(program));
});

/**
 * The packed library in a real browser: in a page and in a module worker it gives the same bytes as here, text as
 * bundlers build it included, and the recipe for offline edits keeps its records in the browser's IndexedDB.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { root } from '../tidy/tree.ts';
import { findBrowser, howToGetOne, launchBrowser, serveFolder } from './browser.ts';
import type { Site } from './browser.ts';
import { bundleProgram } from './bundled-program.ts';
import { expectedOf, programOf } from './doc-program.ts';
import { compile, packPackage } from './packed-package.ts';
import type { PackedPackage, Project } from './packed-package.ts';
import { linesOf } from './same-everywhere.ts';

const seed = 20260115;
const mergesShape = z.object({ vectors: z.array(z.object({ join: z.string() })) });
const executable = findBrowser();
if (executable === null) process.stderr.write(`${howToGetOne}\n`);

test('a browser is installed, or this is no machine that has to have one', () => {
  expect(executable === null && (process.env['CI'] ?? '') !== '', howToGetOne).toBe(false);
});

test('CHROME_PATH goes before what is found, and a wrong one is no browser', () => {
  expect(findBrowser({ CHROME_PATH: process.execPath, PATH: '' })).toBe(process.execPath);
  expect(findBrowser({ CHROME_PATH: '/nowhere/chrome', PATH: process.env['PATH'] })).toBeNull();
});

describe.runIf(executable !== null)('in a browser', () => {
  let packed: PackedPackage;
  let project: Project;
  let site: Site;
  let browser: Browser;
  let page: Page;
  const failures: string[] = [];

  beforeAll(async () => {
    packed = await packPackage();
    project = await packed.install('yjs', 'lib0', 'isomorphic.js');
    await writeSite(project);
    site = await serveFolder(project.folder);
    browser = await launchBrowser(executable ?? '');
    page = await browser.newPage();
    page.on('pageerror', (error) => failures.push(String(error)));
    await page.goto(`${site.url}/index.html`);
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    site.close();
    packed.remove();
    expect(failures).toEqual([]);
  });

  test('a page gives the same bytes', async () => {
    const lines = await page.evaluate(`import('/program.js').then(({ linesOf }) => linesOf(${seed}))`);
    expect(lines).toEqual(linesOf(seed));
  });

  test('a module worker gives the same bytes', async () => {
    const lines = await page.evaluate(`new Promise((resolve, reject) => {
      const worker = new Worker('/worker.js', { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.postMessage(${seed});
    })`);
    expect(lines).toEqual(linesOf(seed));
  });

  test('the joins of the test vectors are the same', async () => {
    const joins = await page.evaluate(`Promise.all([
      import('/program.js'),
      fetch('/node_modules/@isthmus/conflict/vectors/merges.json').then((response) => response.json()),
    ]).then(([{ joinsOf }, { vectors }]) => joinsOf(vectors))`);
    const file: unknown = JSON.parse(readFileSync(join(root, 'conflict/vectors/merges.json'), 'utf8'));
    const { vectors } = mergesShape.parse(file);
    expect(vectors.length).toBeGreaterThan(20);
    expect(joins).toEqual(vectors.flatMap(({ join: joined }) => [joined, joined]));
  });

  test('text works as a bundler builds it', async () => {
    expect(await page.evaluate(`import('/text-bundle.js').then(({ shown }) => shown)`)).toBe('hello world');
  });

  test('the recipe for offline edits keeps its records', async () => {
    const printed: string[] = [];
    page.on('console', (message) => printed.push(message.text()));
    await page.evaluate(`import('/offline.js')`);
    expect(printed).toEqual(expectedOf(section()));
  });
});

const section = () => programOf(join(root, 'conflict/RECIPES.md'), 'Offline edits in a browser');

/** Bare names are for bundlers and import maps; the site imports the installed files by their paths. */
function forBrowser(script: string): string {
  return script.replaceAll(
    /(from\s*)(["'])@isthmus\/conflict\2/g,
    '$1"/node_modules/@isthmus/conflict/dist/index.js"',
  );
}

async function writeSite(project: Project): Promise<void> {
  const file = (name: string) => join(project.folder, name);
  const program = await bundleProgram(project, { format: 'esm', alone: false });
  writeFileSync(file('program.js'), forBrowser(readFileSync(program, 'utf8')));
  writeFileSync(file('index.html'), '<!doctype html><title>Isthmus</title>');
  writeFileSync(
    file('worker.js'),
    `import { linesOf } from '/program.js';
     onmessage = ({ data }) => postMessage(linesOf(data));`,
  );
  writeFileSync(file('text.js'), textProgram);
  const build = await rolldown({ input: file('text.js'), platform: 'browser' });
  await build.write({ file: file('text-bundle.js'), format: 'esm' });
  await build.close();
  writeFileSync(file('offline.ts'), section().code);
  await compile(project, { moduleResolution: 'bundler', lib: ['es2023', 'dom', 'dom.iterable'] });
  writeFileSync(file('offline.js'), forBrowser(readFileSync(file('offline.js'), 'utf8')));
}

const textProgram = `
  import { merge, schema, text } from '@isthmus/conflict';
  import { yjsText } from '@isthmus/conflict/text';
  const Page = schema({ body: text() }, { text: yjsText });
  const edit = (before, actor, splice) =>
    Page.edit(before, { actor, now: 1 }, (editor) => editor.splice('body', [splice]));
  const first = edit(new Uint8Array(0), 'eu', { at: 0, insert: 'hello' }).state;
  const there = edit(first, 'us', { at: 5, insert: ' world' }).delta;
  export const shown = Page.read(merge(first, there).state).value.body;
`;

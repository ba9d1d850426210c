/** `conflict/API.md` is what the docstrings say, and the docstrings leave nothing out. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tidy/tree.ts';
import { apiEntries, apiPage } from './api-page.ts';

const entries = apiEntries();
const everything = entries.flatMap(({ modules }) => modules.flatMap((module) => module.exports));

test('the page is up to date; npm run docs -w conflict writes it', async () => {
  await expect(apiPage(entries)).toMatchFileSnapshot(join(root, 'conflict/API.md'));
});

test('every export and every member of one has a docstring', () => {
  expect(everything.length).toBeGreaterThan(50);
  const silent = everything.flatMap(({ name, doc, silentMembers }) => [
    ...(doc === '' ? [name] : []),
    ...silentMembers.map((member) => `${name}.${member}`),
  ]);
  expect(silent).toEqual([]);
});

test('every module opens with its sentences, and the papers are named', () => {
  for (const { specifier, modules } of entries) {
    expect(modules.length, specifier).toBeGreaterThan(0);
    for (const { name, opening } of modules) expect(opening.length, name).toBeGreaterThan(60);
  }
  const words = apiPage(entries).replaceAll(/\s+/g, ' ');
  for (const source of ['Almeida, Shoker, Baquero', 'Almeida et al.', 'Kulkarni et al.', 'Balegas et al.']) {
    expect(words).toContain(source);
  }
});

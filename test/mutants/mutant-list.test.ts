/** A mutant that no longer fits the code would break nothing, and be found out only by the next campaign. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readFates } from './fates.ts';
import { mutants } from './mutant-list.ts';

const fates = readFates(new URL('../mutants.json', import.meta.url).pathname);

test('no two mutants have one name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test('the kill table tells of every mutant, of no other, and of none that survived', () => {
  expect([...new Set(fates.map(({ name }) => name))]).toEqual(mutants.map(({ name }) => name));
  expect(fates.filter(({ kill }) => kill === null)).toEqual([]);
  for (const { name, killer } of mutants) {
    const settings = fates.filter((fate) => fate.name === name).map(({ setting }) => setting);
    expect(settings, name).toEqual(killer.kind === 'seeds' ? ['alone', 'bare'] : ['alone']);
  }
});

test.each(mutants)('$name: stands in the code once at least', ({ edits }) => {
  expect(edits.length).toBeGreaterThan(0);
  for (const { file, from, to } of edits) {
    expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), file).toContain(from);
    expect(to).not.toBe(from);
  }
});

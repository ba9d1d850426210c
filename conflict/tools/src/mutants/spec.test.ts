/** SPEC.md says what is there: laws in order, tests that exist, files that hold them, and a mutation for each. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mutated, mutationsFrom, UnfitMutation } from './mutation.ts';
import { lawsOf, withRows } from './spec.ts';

const home = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, home), 'utf8');
const specification = read('SPEC.md');
const laws = lawsOf(specification);
const mutations = mutationsFrom(read('tools/src/mutants/mutations.json'));

test('laws are numbered without gaps', () => {
  expect(laws.length).toBeGreaterThan(40);
  expect(laws.map(({ number }) => number)).toEqual(laws.map((_, index) => `L${index + 1}`));
  expect(specification.match(/^\| L\d+ \|/gm)?.length).toBe(laws.length + mutations.length);
});

test.each(laws)('$number names a test that exists: $testName', ({ testFile, testName }) => {
  expect(read(testFile)).toMatch(
    new RegExp(`\\(\\s*'${testName.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}'`),
  );
});

test('the files that hold the laws exist', () => {
  const rows = specification.matchAll(/^\| L\d+ \| .+? \| ((?:`src\/[^`]+`(?:, )?)+) \|/gm);
  const files = [...rows].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  );
  expect(files.length).toBeGreaterThan(laws.length);
  expect(files.filter((file) => !existsSync(new URL(file, home)))).toEqual([]);
});

describe('mutations', () => {
  test('there is one at least for every law', () => {
    const broken = new Set(mutations.map(({ law }) => law));
    expect(laws.filter(({ number }) => !broken.has(number))).toEqual([]);
    expect(broken.size).toBe(laws.length);
  });

  test.each(mutations)('$law: $file has its text exactly once', (mutation) => {
    const text = read(mutation.file);
    expect(mutated(text, mutation)).not.toBe(text);
    expect(specification.includes(`| ${mutation.law} | \`${mutation.file}\` |`)).toBe(true);
  });

  test('a text that is missing, or there twice, is refused', () => {
    const mutation = { law: 'L1', file: 'a.ts', find: 'x', replace: 'y' };
    expect(mutated('axb', mutation)).toBe('ayb');
    expect(() => mutated('ab', mutation)).toThrow('L1: a.ts has 0 times: x');
    expect(() => mutated('xx', mutation)).toThrow('L1: a.ts has 2 times: x');
    expect(() => mutationsFrom('[{ "law": "L1" }]')).toThrow(UnfitMutation);
  });

  test('rows take the place of those of the same law, in the order of the laws', () => {
    const page = (...rows: readonly string[]) =>
      `a\n<!-- mutants -->\n${rows.join('\n')}\n<!-- /mutants -->\nb`;
    const head = ['| law | file | this | becomes | outcome |', '|---|---|---|---|---|'];
    const before = page('| L2 | old |', '| L10 | other |');
    expect(withRows(before, [{ law: 'L2', text: '| L2 | new |' }])).toBe(
      page(...head, '| L2 | new |', '| L10 | other |'),
    );
  });
});

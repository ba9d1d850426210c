import { expect, test } from 'vitest';
import { filesOf } from './tree.ts';

const folder = 'replication/decisions/';
const pages = filesOf('.md').filter(({ path }) => path.startsWith(folder));
const index = pages.find(({ path }) => path === `${folder}README.md`)?.text ?? '';
const numbers = pages.flatMap(({ path }) => /\/(\d{4})-[^/]*$/.exec(path)?.[1] ?? []);

test('the index of decisions lists each page once, by its title', () => {
  const titles = pages
    .filter(({ path }) => path !== `${folder}README.md`)
    .map(({ path, text }) => {
      const [, number = '', title = ''] = /^# (\d{4}) (.+)/.exec(text) ?? [];
      return `- [${number}](${path.slice(folder.length)}) ${title}`;
    });
  expect(titles.length).toBeGreaterThan(60);
  expect(index.match(/^- .*/gm)?.toSorted()).toEqual(titles.toSorted());
});

test('no number is given twice, and those that were not used are named', () => {
  expect(new Set(numbers).size).toBe(numbers.length);
  const last = Math.max(...numbers.map(Number));
  const all = Array.from({ length: last }, (_, at) => String(at + 1).padStart(4, '0'));
  const unused = all.filter((number) => !numbers.includes(number));
  const [, named = ''] = /reused; ([\s\S]*?) were not used/.exec(index) ?? [];
  expect(named.match(/\d{4}/g)).toEqual(unused);
});

/** A statement with a name is prepared once on each connection, so a second text under the same name is never run. */
import { expect, test } from 'vitest';
import { filesOf, isTest } from './tree.ts';

test('no two statements for Postgres have one name', () => {
  const sources = filesOf('.ts').filter((file) => !isTest(file));
  const names = sources.flatMap(({ text }) =>
    [...text.matchAll(/\bname: '(isthmus_\w+)'/g)].map(([, name]) => name),
  );
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

/** The files in `vectors/` are what the code says now, and their claims hold without the code that wrote them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bytesOf, hexOf } from '../fuzz/hex.ts';
import { merge } from '../record/merge.ts';
import { validate } from '../record/validate.ts';
import { malformedVectors } from './malformed-vectors.ts';
import { mergeVectors } from './record-vectors.ts';
import { textOfFile, type VectorFile } from './vector-file.ts';
import { vectorFiles } from './vector-files.ts';

const folder = new URL('../../vectors/', import.meta.url);

test.each(vectorFiles().map((file) => [file.name, file] as const))('%s.json is up to date', (name, file) => {
  expect(readFileSync(new URL(`${name}.json`, folder), 'utf8')).toBe(textOfFile(file));
});

test('every file is written by the command, and described', () => {
  const names = vectorFiles().map(({ name }) => `${name}.json`);
  expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual(names.toSorted());
  const readme = readFileSync(new URL('README.md', folder), 'utf8');
  for (const name of names) expect(readme).toContain(name);
});

function members(file: VectorFile, name: string): readonly string[] {
  return file.vectors.map((vector) => String(Reflect.get(vector, name)));
}

test('merges give the same bytes in both orders', () => {
  const file = mergeVectors();
  const [a, b, joined] = [members(file, 'a'), members(file, 'b'), members(file, 'join')];
  expect(joined.length).toBeGreaterThan(200);
  for (const [index, wanted] of joined.entries()) {
    const [left, right] = [bytesOf(a[index] ?? ''), bytesOf(b[index] ?? '')];
    expect(hexOf(merge(left, right).state)).toBe(wanted);
    expect(hexOf(merge(right, left).state)).toBe(wanted);
    validate(bytesOf(wanted));
  }
});

test('every malformed vector but the first is refused', () => {
  const [first, ...others] = members(malformedVectors(), 'code');
  expect(first).toBe('null');
  expect(others.length).toBeGreaterThan(70);
  for (const code of others) expect(['malformed', 'newer-format']).toContain(code);
});

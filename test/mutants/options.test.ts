import { expect, test } from 'vitest';
import { readMutantOptions } from './options.ts';

test('all mutants, or those that are named', () => {
  expect(readMutantOptions([])).toEqual({ maxSeeds: 400, only: [], results: null, isWritten: false });
  const some = ['--only', 'no dedupe', '--only', 'skip poison', '--seeds', '240', '--write'];
  expect(readMutantOptions(some)).toMatchObject({
    maxSeeds: 240,
    only: ['no dedupe', 'skip poison'],
    isWritten: true,
  });
});

test('what is wrong is named', () => {
  expect(readMutantOptions(['--results'])).toBe('--results takes a value');
  expect(readMutantOptions(['results', 'file'])).toBe('unknown option results');
  expect(readMutantOptions(['--seeds', '0'])).toContain('--seeds is 0');
});

/** What makes a copy that is put back one that somebody can know of: else the region rightly goes on with it. */
import { expect, test } from 'vitest';
import { misses } from './stored-faults.ts';

const second = { counter: 2, nonce: 7 };
const copy = { copied: second, beat: 8 };

test.each([
  ['a later beat of its life', second, 9, true],
  ['the beat that it holds', second, 8, false],
  ['a later life', { counter: 3, nonce: 1 }, 2, true],
  ['another life of that number', { counter: 2, nonce: 8 }, 2, true],
  ['a life before it alone, which had more beats', { counter: 1, nonce: 1 }, 10, false],
] as const)('a peer that has received %s', (_, incarnation, number, isKnown) => {
  const beat = { number, lsn: 1n, end: 2n, atMs: 1, count: 0 };
  expect(misses({ incarnation, beat }, copy)).toBe(isKnown);
});

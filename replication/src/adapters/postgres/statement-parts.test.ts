import { expect, test } from 'vitest';
import { maxStatementBytes } from '../../transaction-limits.ts';
import { inParts } from './statement-parts.ts';

const half = maxStatementBytes / 2;
const partsOf = (sizes: readonly number[]) => inParts(sizes, (size) => size);

test('parts hold what a statement may, in order, and one item at least', () => {
  expect(partsOf([])).toEqual([]);
  expect(partsOf([half, half, 1, half])).toEqual([
    [half, half],
    [1, half],
  ]);
  expect(partsOf([0, maxStatementBytes + 1, 0])).toEqual([[0], [maxStatementBytes + 1], [0]]);
});

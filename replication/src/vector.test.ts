import { expect, test } from 'vitest';
import { parseRegionId } from './ports/identity.ts';
import { beyond, greatestOf, lacking, leastOf } from './vector.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const at = (partition: number, lsn: bigint, nonce = 1) => ({
  region: eu,
  incarnation: { counter: 1, nonce },
  partition,
  lsn,
});

test('the least reaches only where both reach, the greatest where one does', () => {
  const [a, b] = [
    [at(0, 5n), at(1, 9n), at(2, 1n)],
    [at(0, 7n), at(1, 3n), at(3, 1n)],
  ];
  expect(leastOf(a, b)).toEqual([at(0, 5n), at(1, 3n)]);
  expect(greatestOf(a, b)).toEqual([at(0, 7n), at(1, 9n), at(2, 1n), at(3, 1n)]);
});

test('another incarnation is another place', () => {
  expect(leastOf([at(0, 5n, 1)], [at(0, 7n, 2)])).toEqual([]);
  expect(lacking([at(0, 5n, 1)], [at(0, 1n, 2)])).toEqual(at(0, 1n, 2));
});

test('what a demand lacks is what lies beyond', () => {
  expect(lacking([at(0, 5n)], [at(0, 5n)])).toBeNull();
  expect(lacking([at(0, 5n)], [at(0, 6n)])).toEqual(at(0, 6n));
  expect(beyond([at(0, 5n), at(1, 2n)], [at(0, 5n), at(1, 1n)])).toEqual([at(1, 2n)]);
  expect(lacking([], [])).toBeNull();
});

import { expect, test } from 'vitest';
import { partitionOf } from './partition.ts';

test('every region comes to the same answer for ever', () => {
  const known = ['a', 'user/1', 'user/2', 'ключ', '😀/x', 'long key with spaces'].map((key) =>
    partitionOf({ collection: 'products', key }, 8),
  );
  expect(known).toEqual([6, 7, 7, 6, 4, 3]);
});

test('also where characters beyond ASCII come late in a name', () => {
  const known = ['née', 'née/1', 'plain ключ'].map((key) => partitionOf({ collection: 'products', key }, 8));
  expect(known).toEqual([1, 1, 7]);
  expect(partitionOf({ collection: 'café', key: 'a' }, 8)).toBe(6);
});

test('records of one group share a partition, whatever follows the first slash', () => {
  const partitions = ['order', 'order/1', 'order/1/2', 'order/'].map((key) =>
    partitionOf({ collection: 'c', key }, 64),
  );
  expect(new Set(partitions).size).toBe(1);
});

test('keys spread evenly', () => {
  const counts = Array.from({ length: 8 }, () => 0);
  for (let index = 0; index < 80_000; index++) {
    const partition = partitionOf({ collection: 'products', key: `key-${index}` }, 8);
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  expect(Math.min(...counts)).toBeGreaterThan(9500);
  expect(Math.max(...counts)).toBeLessThan(10_500);
});

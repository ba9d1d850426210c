import { partitionOf } from '@isthmus/replication/log/partition';
import { expect, test } from 'vitest';
import type { HistoryEvent, Operation, Result } from '../checkers/history.ts';
import { Tally } from './tally.ts';

const event = (operation: Operation, atMs: number, result: Result = 'ok'): HistoryEvent => ({
  process: 'eu0',
  region: 'eu',
  operation,
  invokedAtMs: atMs,
  completedAtMs: atMs + 2,
  result,
  status: 200,
});
const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
const inPartition = (partition: number) =>
  keys.filter((key) => partitionOf({ collection: 'products', key }, 8) === partition);
const [a = '', b = ''] = inPartition(0);
const [elsewhere = ''] = inPartition(1);

test('with an insert everything is missing that followed it in its partition, and nothing else', () => {
  const tally = new Tally();
  tally.add(event({ kind: 'increment', key: b, amount: 1 }, 0));
  tally.add(event({ kind: 'insert', key: a }, 10));
  tally.add(event({ kind: 'increment', key: b, amount: 1 }, 11));
  tally.add(event({ kind: 'increment', key: b, amount: 1 }, 20));
  tally.add(event({ kind: 'increment', key: elsewhere, amount: 1 }, 20));
  tally.add(event({ kind: 'remove', key: b, element: 'x' }, 30));
  tally.add(event({ kind: 'increment', key: b, amount: 1 }, 40, 'info'));
  tally.add(event({ kind: 'increment', key: b, amount: 1 }, 50, 'fail'));
  tally.add(event({ kind: 'set', key: b, value: 'x' }, 60));
  const missing = [{ key: a, invokedAtMs: 10, ackedAtMs: 12 }];
  expect(tally.least(missing, 1000)).toBe(3);
  expect(tally.least(missing, 50)).toBe(2);
  expect(tally.least(missing, 12)).toBe(0);
  expect(tally.least([], 1000)).toBe(0);
});

test('operations on one record that were under way together may be one change', () => {
  const tally = new Tally();
  tally.add(event({ kind: 'insert', key: a }, 10));
  for (const atMs of [20, 21, 23, 24, 30]) tally.add(event({ kind: 'increment', key: b, amount: 1 }, atMs));
  expect(tally.least([{ key: a, invokedAtMs: 10, ackedAtMs: 12 }], 1000)).toBe(4);
});

test('at most everything is missing that may have been written since', () => {
  const tally = new Tally();
  expect(tally.most(0)).toBe(0);
  for (const [atMs, result] of [
    [0, 'ok'],
    [10, 'fail'],
    [20, 'info'],
    [30, 'ok'],
  ] as const)
    tally.add(event({ kind: 'increment', key: a, amount: 1 }, atMs, result));
  expect([0, 2, 3, 23, 33].map((sinceMs) => tally.most(sinceMs))).toEqual([3, 3, 2, 1, 0]);
});

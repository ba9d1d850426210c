/**
 * I7: a counter reads the sum of every acknowledged increment and of some subset of those whose outcome is unknown, and one
 * that nobody incremented reads nothing.
 */
import type { History, Violation } from './history.ts';
import { judgeSum, nothing } from './sums.ts';

interface Expected {
  acknowledged: number;
  readonly unknown: number[];
}

export function checkCounters(history: History, finals: ReadonlyMap<string, number>): readonly Violation[] {
  const expected = expectations(history);
  return [...new Set([...expected.keys(), ...finals.keys()])].flatMap((key) => {
    const detail = judgeSum(expected.get(key) ?? nothing, finals.get(key) ?? 0);
    return detail === null ? [] : [{ checker: 'counters', key, detail }];
  });
}

function expectations(history: History): ReadonlyMap<string, Expected> {
  const expected = new Map<string, Expected>();
  for (const { operation, result } of history) {
    if (operation.kind !== 'increment' || result === 'fail') continue;
    const entry = expected.get(operation.key) ?? { acknowledged: 0, unknown: [] };
    expected.set(operation.key, entry);
    if (result === 'ok') entry.acknowledged += operation.amount;
    else entry.unknown.push(operation.amount);
  }
  return expected;
}

/** I7: a counter reads the sum of every acknowledged increment and of some subset of those whose outcome is unknown. */
import type { History, Violation } from './history.ts';
import { judgeSum } from './sums.ts';

interface Expected {
  acknowledged: number;
  readonly unknown: number[];
}

export function checkCounters(history: History, finals: ReadonlyMap<string, number>): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [key, expected] of expectations(history)) {
    const detail = judgeSum(expected, finals.get(key) ?? 0);
    if (detail !== null) violations.push({ checker: 'counters', key, detail });
  }
  return violations;
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

/**
 * I7: a bounded counter is never below its bound, whatever was spent where, and reads what was refilled less what was
 * spent, each acknowledged change once and unknown ones perhaps.
 */
import type { History, Violation } from './history.ts';
import { judgeSum, nothing } from './sums.ts';

export function checkBounded(history: History, finals: ReadonlyMap<string, number>): readonly Violation[] {
  const sums = new Map<string, { acknowledged: number; unknown: number[] }>();
  for (const { operation, result } of history) {
    if ((operation.kind !== 'refill' && operation.kind !== 'spend') || result === 'fail') continue;
    const sum = sums.get(operation.key) ?? { acknowledged: 0, unknown: [] };
    sums.set(operation.key, sum);
    const amount = operation.kind === 'refill' ? operation.amount : -operation.amount;
    if (result === 'ok') sum.acknowledged += amount;
    else sum.unknown.push(amount);
  }
  return [...new Set([...sums.keys(), ...finals.keys()])].flatMap((key) => {
    const found = finals.get(key) ?? 0;
    const detail = found < 0 ? `reads ${found}, below 0` : judgeSum(sums.get(key) ?? nothing, found);
    return detail === null ? [] : [{ checker: 'bounded', key, detail }];
  });
}

/**
 * I7: a counter reads the sum of every acknowledged increment and of some subset of those whose outcome is unknown.
 * Amounts are large and random, so a lost, doubled or torn increment gives a sum that no subset explains.
 */
import type { History, Violation } from './history.ts';

interface Expected {
  acknowledged: number;
  readonly unknown: number[];
}

/** More unknown amounts than this on one counter could explain anything, so the checker refuses to judge. */
const maxUnknown = 16;

export function checkCounters(history: History, finals: ReadonlyMap<string, number>): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [key, expected] of expectations(history)) {
    const found = finals.get(key) ?? 0;
    const detail = judge(expected, found);
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

function judge({ acknowledged, unknown }: Expected, found: number): string | null {
  if (unknown.length > maxUnknown)
    return `${unknown.length} unknown increments, at most ${maxUnknown} can be judged`;
  if (subsetSums(unknown).has(found - acknowledged)) return null;
  return `reads ${found}, acknowledged ${acknowledged}, unknown ${unknown.join(' ')}`;
}

function subsetSums(amounts: readonly number[]): ReadonlySet<number> {
  let sums = new Set([0]);
  for (const amount of amounts) sums = new Set([...sums, ...[...sums].map((sum) => sum + amount)]);
  return sums;
}

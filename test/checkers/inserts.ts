/**
 * I5, and nothing fabricated: every acknowledged insert is there, and everything that is there was asked for.
 */
import type { History, Violation } from './history.ts';

export function checkInserts(history: History, present: ReadonlySet<string>): readonly Violation[] {
  const asked = new Set<string>();
  const violations: Violation[] = [];
  for (const { operation, result, region } of history) {
    if (operation.kind !== 'insert') continue;
    if (result !== 'fail') asked.add(operation.key);
    if (result !== 'ok' || present.has(operation.key)) continue;
    const detail = `acknowledged by ${region} and not there`;
    violations.push({ checker: 'inserts', key: operation.key, detail });
  }
  for (const key of present) {
    if (asked.has(key)) continue;
    violations.push({ checker: 'inserts', key, detail: 'there, and nobody asked for it' });
  }
  return violations;
}

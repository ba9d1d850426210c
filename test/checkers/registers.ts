/**
 * A register shows a value that somebody wrote and that the same writer did not overwrite afterwards with an
 * acknowledged write: a process sees its own earlier writes, so its later one wins over them whatever the clocks say.
 */
import type { History, Violation } from './history.ts';

export function checkRegisters(history: History, finals: ReadonlyMap<string, string>): readonly Violation[] {
  const possible = new Map<string, Map<string, Set<string>>>();
  const keys = new Set<string>();
  const mustExist = new Set<string>();
  for (const { operation, result, process } of history) {
    if (operation.kind !== 'set') continue;
    keys.add(operation.key);
    if (result === 'fail') continue;
    const byProcess = possible.get(operation.key) ?? new Map<string, Set<string>>();
    possible.set(operation.key, byProcess);
    const left = byProcess.get(process) ?? new Set<string>();
    if (result === 'ok') {
      left.clear();
      mustExist.add(operation.key);
    }
    byProcess.set(process, left.add(operation.value));
  }
  return [...keys].flatMap((key) => {
    const values = new Set([...(possible.get(key)?.values() ?? [])].flatMap((left) => [...left]));
    const detail = judge(values, finals.get(key), mustExist.has(key));
    return detail === null ? [] : [{ checker: 'registers', key, detail }];
  });
}

function judge(values: ReadonlySet<string>, found: string | undefined, mustExist: boolean): string | null {
  if (found === undefined) return mustExist ? 'acknowledged writes, and nothing is there' : null;
  if (values.has(found)) return null;
  return `shows ${found}, which nobody wrote or its writer has overwritten`;
}

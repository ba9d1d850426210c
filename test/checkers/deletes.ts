/**
 * I6: a value that an acknowledged delete had seen never comes back; what is there was put by somebody; and a record
 * whose newest acknowledged writes nobody tried to delete is there. Values are unique.
 */
import type { History, Violation } from './history.ts';

export function checkDeletes(history: History, finals: ReadonlyMap<string, string>): readonly Violation[] {
  const put = new Map<string, Set<string>>();
  const deleted = new Map<string, Set<string>>();
  const mustExist = new Set<string>();
  for (const { operation, result } of history) {
    if (result === 'fail') continue;
    if (operation.kind === 'put') {
      put.set(operation.key, (put.get(operation.key) ?? new Set()).add(operation.value));
      if (result === 'ok') mustExist.add(operation.key);
    } else if (operation.kind === 'delete') {
      const gone = deleted.get(operation.key) ?? new Set();
      deleted.set(operation.key, gone);
      if (result === 'ok' && operation.saw !== null) gone.add(operation.saw);
    }
  }
  return [...new Set([...put.keys(), ...finals.keys()])].flatMap((key) => {
    const found = finals.get(key);
    const detail =
      found === undefined
        ? mustExist.has(key) && !deleted.has(key) && 'acknowledged writes, no delete, and nothing is there'
        : (deleted.get(key)?.has(found) ?? false)
          ? `shows ${found} again, which was deleted`
          : !(put.get(key)?.has(found) ?? false) && `shows ${found}, which nobody put`;
    return detail === false ? [] : [{ checker: 'deletes', key, detail }];
  });
}

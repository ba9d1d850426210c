/**
 * I6: a value that an acknowledged delete had seen never comes back; what is there was put by somebody; and a record is
 * there of which an acknowledged write came after every delete of it had been answered, since none can have seen that.
 * Values are unique.
 */
import type { History, HistoryEvent, Violation } from './history.ts';

interface Mortal {
  readonly put: Set<string>;
  readonly acknowledged: HistoryEvent[];
  readonly gone: Set<string>;
  /** When the last delete was over; infinite where nobody knows. */
  deletedMs: number;
}

export function checkDeletes(history: History, finals: ReadonlyMap<string, string>): readonly Violation[] {
  const mortals = mortalsOf(history);
  return [...new Set([...mortals.keys(), ...finals.keys()])].flatMap((key) => {
    const detail = judge(mortals.get(key) ?? newMortal(), finals.get(key));
    return detail === null ? [] : [{ checker: 'deletes', key, detail }];
  });
}

function judge({ put, acknowledged, gone, deletedMs }: Mortal, found: string | undefined): string | null {
  if (found === undefined) {
    const unseen = acknowledged.some(({ invokedAtMs }) => invokedAtMs > deletedMs);
    return unseen ? 'a write was acknowledged that no delete has seen, and nothing is there' : null;
  }
  if (gone.has(found)) return `shows ${found} again, which was deleted`;
  return put.has(found) ? null : `shows ${found}, which nobody put`;
}

function mortalsOf(history: History): ReadonlyMap<string, Mortal> {
  const mortals = new Map<string, Mortal>();
  for (const event of history) {
    const { operation, result, completedAtMs } = event;
    if ((operation.kind !== 'put' && operation.kind !== 'delete') || result === 'fail') continue;
    const mortal = mortals.get(operation.key) ?? newMortal();
    mortals.set(operation.key, mortal);
    if (operation.kind === 'put') {
      mortal.put.add(operation.value);
      if (result === 'ok') mortal.acknowledged.push(event);
    } else {
      mortal.deletedMs = Math.max(mortal.deletedMs, result === 'ok' ? completedAtMs : Infinity);
      if (result === 'ok' && operation.saw !== null) mortal.gone.add(operation.saw);
    }
  }
  return mortals;
}

function newMortal(): Mortal {
  return { put: new Set(), acknowledged: [], gone: new Set(), deletedMs: -Infinity };
}

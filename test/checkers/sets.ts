/**
 * A set holds every acknowledged element that nobody tried to remove, none that an acknowledged remove had seen, and
 * none that nobody added. Elements are unique, so one that was removed has no other reason to be there.
 */
import type { History, Violation } from './history.ts';

interface Elements {
  readonly asked: Set<string>;
  readonly acknowledged: Set<string>;
  readonly touched: Set<string>;
  readonly removed: Set<string>;
}

export function checkSets(
  history: History,
  finals: ReadonlyMap<string, ReadonlySet<string>>,
): readonly Violation[] {
  const violations: Violation[] = [];
  const known = elementsOf(history);
  for (const key of new Set([...known.keys(), ...finals.keys()])) {
    const elements = known.get(key) ?? newElements();
    const present = finals.get(key) ?? new Set();
    const fail = (detail: string): void => void violations.push({ checker: 'sets', key, detail });
    for (const element of elements.acknowledged)
      if (!elements.touched.has(element) && !present.has(element)) fail(`${element} is lost`);
    for (const element of present) {
      if (!elements.asked.has(element)) fail(`${element} is there, and nobody added it`);
      if (elements.removed.has(element)) fail(`${element} is back after it was removed`);
    }
  }
  return violations;
}

function elementsOf(history: History): ReadonlyMap<string, Elements> {
  const byKey = new Map<string, Elements>();
  for (const { operation, result } of history) {
    if ((operation.kind !== 'add' && operation.kind !== 'remove') || result === 'fail') continue;
    const { element } = operation;
    const elements = byKey.get(operation.key) ?? newElements();
    byKey.set(operation.key, elements);
    if (element === null) continue;
    if (operation.kind === 'add') {
      elements.asked.add(element);
      if (result === 'ok') elements.acknowledged.add(element);
    } else {
      elements.touched.add(element);
      if (result === 'ok') elements.removed.add(element);
    }
  }
  return byKey;
}

function newElements(): Elements {
  return { asked: new Set(), acknowledged: new Set(), touched: new Set(), removed: new Set() };
}

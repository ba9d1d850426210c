/**
 * A text consists of the tokens that were written into it: every acknowledged one exactly once, unknown ones at most
 * once, each in one piece, and nothing else. Tokens are unique, closed by brackets, and nobody deletes them.
 */
import type { History, Violation } from './history.ts';

export function checkTexts(history: History, finals: ReadonlyMap<string, string>): readonly Violation[] {
  const asked = new Map<string, Map<string, boolean>>();
  for (const { operation, result } of history) {
    if (operation.kind !== 'note' || result === 'fail') continue;
    const tokens = asked.get(operation.key) ?? new Map<string, boolean>();
    asked.set(operation.key, tokens.set(operation.token, result === 'ok'));
  }
  return [...new Set([...asked.keys(), ...finals.keys()])].flatMap((key) => {
    const faults = judge(asked.get(key) ?? new Map(), finals.get(key) ?? '');
    return faults.map((detail) => ({ checker: 'texts', key, detail }));
  });
}

function judge(asked: ReadonlyMap<string, boolean>, found: string): readonly string[] {
  const pieces = found.match(/\[[^[\]]*\]|[^[]+|\[/g) ?? [];
  const counts = new Map<string, number>();
  for (const piece of pieces) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  const lost = [...asked].filter(([token, isSure]) => isSure && !counts.has(token));
  const strange = [...counts.keys()].filter((piece) => !asked.has(piece));
  const doubled = [...counts].filter(([piece, count]) => asked.has(piece) && count > 1);
  return [
    ...lost.map(([token]) => `${token} is lost`),
    ...strange.map((piece) => `${piece} is there, and nobody wrote it`),
    ...doubled.map(([piece, count]) => `${piece} is there ${count} times`),
  ];
}

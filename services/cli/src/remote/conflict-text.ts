/**
 * A conflict in words: what is shown, what is hidden, who wrote each value and why one won. Keys and values come from
 * strangers, so no character of them reaches the terminal that it would not print.
 */
import { printable } from './printable.ts';
import { member } from './request.ts';
import { table, textOf } from './show.ts';

const longestValue = 60;

/** One heading and a line for each value; long values are cut. */
export function conflictLines(conflict: unknown): string {
  return heading(conflict) + values(conflict, longestValue);
}

/** The same with values in full, and the commands that show another one by a write in `region`; `null`: an address says where. */
export function conflictDetails(conflict: unknown, region: string | null): string {
  const hidden = siblingsOf(conflict).filter((sibling) => member(sibling, 'shown') !== true);
  const id = textAt(conflict, 'id');
  const commands = hidden.map((sibling) => {
    const value = valueOf(sibling, longestValue);
    const where = region === null ? '' : ` --in ${region}`;
    return `  to show ${value}: isthmus conflicts restore ${id} --actor ${textAt(sibling, 'actor')}${where}\n`;
  });
  return heading(conflict) + values(conflict, Infinity) + commands.join('');
}

/** A record in which there may be conflicts that the region cannot tell. */
export function unreadableLine(record: unknown): string {
  const name = `${textAt(record, 'collection')}/${textAt(record, 'key')}`;
  const reason = member(record, 'unreadable');
  return `${name} needs format ${textAt(reason, 'format')}, this region knows ${textAt(reason, 'supported')}: upgrade it, or ask a region that is\n`;
}

function heading(conflict: unknown): string {
  const record = `${textAt(conflict, 'collection')}/${textAt(conflict, 'key')}`;
  const count = siblingsOf(conflict).length;
  return `${record} ${textAt(conflict, 'field')}: ${count} values, none of which saw the others\n  id ${textAt(conflict, 'id')}\n`;
}

function values(conflict: unknown, longest: number): string {
  const rows = siblingsOf(conflict).map((sibling) => [
    member(sibling, 'shown') === true ? '  shown' : '  hidden',
    textAt(sibling, 'region'),
    textAt(sibling, 'at'),
    valueOf(sibling, longest),
    textAt(sibling, 'why'),
  ]);
  return table(rows);
}

function siblingsOf(conflict: unknown): readonly unknown[] {
  const siblings = member(conflict, 'siblings');
  return Array.isArray(siblings) ? siblings : [];
}

function valueOf(sibling: unknown, longest: number): string {
  const text = JSON.stringify(member(sibling, 'value')) ?? '';
  return printable(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

function textAt(value: unknown, name: string): string {
  return printable(textOf(member(value, name), 'unknown'));
}

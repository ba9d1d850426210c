/**
 * An operation of an edit as plain data, so that a history can be printed, replayed and cut down, and how the library
 * is asked to carry it out. Paths are arrays of names. A splice names the text it was made for, because a position
 * means nothing in another one; replayed against another text it does nothing.
 */
import type { JsonValue } from '../codec/value.ts';
import type { Editor } from '../record/operations.ts';
import type { Element } from '../types/set.ts';
import type { Splice } from '../types/text.ts';

export type Names = readonly string[];

/** A call of the library's editor as data. */
export type Operation =
  | { readonly op: 'set'; readonly path: Names; readonly value: JsonValue }
  | { readonly op: 'clear'; readonly path: Names }
  | { readonly op: 'increment' | 'refill' | 'spend'; readonly path: Names; readonly amount: number }
  | { readonly op: 'add' | 'remove'; readonly path: Names; readonly elements: readonly Element[] }
  | { readonly op: 'moveRights'; readonly path: Names; readonly to: string; readonly amount: number }
  | { readonly op: 'splice'; readonly path: Names; readonly before: string; readonly splice: Splice }
  | { readonly op: 'put'; readonly value: { readonly [field: string]: JsonValue } }
  | { readonly op: 'delete' };

/** Makes the call. */
export function carryOut(editor: Editor, operation: Operation): void {
  switch (operation.op) {
    case 'set':
      return editor.set(operation.path, operation.value);
    case 'clear':
      return editor.clear(operation.path);
    case 'increment':
    case 'refill':
    case 'spend':
      return editor[operation.op](operation.path, operation.amount);
    case 'add':
    case 'remove':
      return editor[operation.op](operation.path, operation.elements);
    case 'moveRights':
      return editor.moveRights(operation.path, { to: operation.to, amount: operation.amount });
    case 'splice':
      return editor.splice(operation.path, [operation.splice]);
    case 'put':
      return editor.put(operation.value);
    case 'delete':
      return editor.delete();
  }
}

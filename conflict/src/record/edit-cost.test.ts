/**
 * What an edit costs grows with its operations and with what the record holds, not with the product of both. Time would
 * be a poor witness, so the work is counted: each look at a part of an entry that was there before.
 */
import { describe, expect, test } from 'vitest';
import { map, register, set } from '../types/field.ts';
import type { Entry } from './entry.ts';
import { decode, type DecodedRecord } from './decoded-record.ts';
import { Draft } from './draft.ts';
import { runEdit } from './editor.ts';
import type { Editor } from './operations.ts';
import { schema } from './schema.ts';

const fields = { tags: set(), banned: set({ bias: 'remove' }), prices: map(register()) };
const Product = schema(fields);
const options = { limits: Product.limits, lastWriterWins: false, text: undefined };
const writer = { actor: 'eu', floor: 0, floorMs: 0, nowMs: 2, horizon: undefined };

/** A record with `size` elements in each set and as many prices. */
function recordOf(size: number): DecodedRecord {
  const names = namesOf(size);
  const { state } = Product.edit(new Uint8Array(0), { actor: 'eu', now: 1 }, (edit) => {
    edit.add('tags', names);
    edit.add('banned', names);
    for (const name of names) edit.set(['prices', name], 1);
  });
  return decode(state);
}

function namesOf(size: number): readonly string[] {
  return Array.from({ length: size }, (_, index) => `n${index}`);
}

/** How often an edit looks at parts of the entries that it finds. */
function looksOf(size: number, change: (editor: Editor, name: string) => void): number {
  const record = recordOf(size);
  let looks = 0;
  const watched = (entry: Entry) =>
    new Proxy(entry, {
      get(target, name) {
        looks++;
        return Reflect.get(target, name) as unknown;
      },
    });
  const draft = new Draft({ ...record, entries: record.entries.map(watched) }, writer, options);
  runEdit(draft, { type: 'map', fields }, (editor) => {
    for (const name of namesOf(size)) change(editor, name);
  });
  draft.delta();
  return looks;
}

describe('an edit with twice the operations on a record twice as large does twice the work', () => {
  const operations: readonly (readonly [string, (editor: Editor, name: string) => void])[] = [
    ['add', (e, name) => e.add('tags', [name])],
    ['remove', (e, name) => e.remove('tags', [name])],
    ['remove in a set biased to removal', (e, name) => e.remove('banned', [name])],
    ['set', (e, name) => e.set(['prices', name], 2)],
    ['clear', (e, name) => e.clear(['prices', name])],
  ];
  test.each(operations)('%s', (_, change) => {
    const looks = looksOf(200, change);
    expect(looks).toBeGreaterThan(0);
    expect(looksOf(400, change)).toBeLessThan(2.1 * looks);
  });
});

/**
 * The collections whose records are mutated: every type of field, every policy, and one that has no text engine. All
 * know the same fields, so each can read the records of the others, as a service does whose schema was changed.
 */
import { schema, type Schema } from '../record/schema.ts';
import { yjsText } from '../text/yjs-text.ts';
import { boundedCounter, counter, map, register, set, text } from '../types/field.ts';

export const fields = {
  title: register(),
  status: register({ resolve: 'siblings' }),
  price: register({ resolve: (siblings) => siblings.map((sibling) => sibling.value) }),
  likes: counter(),
  stock: boundedCounter({ min: 2 }),
  tags: set(),
  banned: set({ bias: 'remove' }),
  notes: text(),
  more: map(register()),
  tree: map({ leaf: register(), deep: map(map({ count: counter(), set: set(), room: boundedCounter() })) }),
};

const limits = { deltaBytes: 4096, stateBytes: 16 * 1024, depth: 8 };

export const addWins: Schema = schema(fields, { text: yjsText, limits });
export const lastWriterWins: Schema = schema(fields, { deletes: 'last-writer-wins', text: yjsText, limits });
export const withoutEngine: Schema = schema(fields, { limits });

/** The quick look never takes a dead record for one that exists, and knows ordinary ones at once. */
import { describe, expect, test } from 'vitest';
import { Random } from '../fuzz/random.ts';
import { counter, register, set } from '../types/field.ts';
import { mayBeDead } from './may-be-dead.ts';
import { merge } from './merge.ts';
import type { Editor } from './operations.ts';
import { schema } from './schema.ts';
import { isDead } from './summary.ts';

const fields = { title: register(), likes: counter(), tags: set() };
const nothing: Uint8Array = new Uint8Array(0);
const changes: readonly ((editor: Editor<typeof fields>) => void)[] = [
  (editor) => editor.set('title', 'x'.repeat(200)),
  (editor) => editor.increment('likes', 1),
  (editor) => editor.add('tags', ['a']),
  (editor) => editor.remove('tags', ['a']),
  (editor) => editor.clear('title'),
  (editor) => editor.put({ title: 'y' }),
  (editor) => editor.delete(),
  (editor) => editor.delete(),
];

describe.each(['add-wins', 'last-writer-wins'] as const)('%s', (deletes) => {
  const type = schema(fields, { deletes });

  test.each([1, 2, 3])('seed %d: whatever is dead may be dead', (seed) => {
    const random = new Random(seed, 0);
    const deltas: Uint8Array[] = [nothing];
    let [dead, passed] = [0, 0];
    for (let round = 0; round < 150; round++) {
      const some = deltas.filter(() => random.below(4) > 0).slice(-12);
      const before = some.reduce((state, delta) => merge(state, delta).state, nothing);
      const change = changes[random.below(changes.length)] ?? (() => undefined);
      const context = { actor: `actor-${random.below(3)}.${round}`, now: 1000 + random.below(300) };
      const { state, delta } = type.edit(before, context, change);
      deltas.push(delta);
      if (isDead(state)) dead++;
      if (isDead(state)) expect(mayBeDead(state)).toBe(true);
      else if (!mayBeDead(state)) passed++;
    }
    expect(dead).toBeGreaterThan(10);
    expect(passed).toBeGreaterThan(0);
  });

  test('a record that was never deleted is known at once, whatever was put into it', () => {
    const { state } = type.edit(nothing, { actor: 'eu', now: 10 }, (editor) => {
      editor.put({ title: 'z'.repeat(5000), tags: ['a', 'b'] });
      editor.increment('likes', 3);
    });
    expect(mayBeDead(state)).toBe(false);
    const later = type.edit(state, { actor: 'us', now: 20 }, (editor) => editor.set('title', 'w'));
    expect(mayBeDead(later.state)).toBe(false);
    const deleted = type.edit(later.state, { actor: 'us', now: 30 }, (editor) => editor.delete());
    expect(mayBeDead(deleted.state)).toBe(true);
  });
});

test('damaged bytes may be anything, and do no harm', () => {
  const type = schema(fields);
  const { state } = type.edit(nothing, { actor: 'eu', now: 10 }, (editor) => editor.put({ title: 'x' }));
  for (let length = 0; length < state.length; length++)
    expect(mayBeDead(state.subarray(0, length))).toBe(true);
  expect(mayBeDead(new Uint8Array(64).fill(0xff))).toBe(true);
});

/** Merging of many pairs: what each merge gives, in its place, and what is refused with the place of its pair. */
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { counter, register } from '../types/field.ts';
import { merge } from './merge.ts';
import { mergeMany } from './merge-many.ts';
import { schema } from './schema.ts';

const nothing: Uint8Array = new Uint8Array(0);
const type = schema({ title: register(), likes: counter() });

function written(state: Uint8Array, actor: string, title: string) {
  return type.edit(state, { actor, now: 1_700_000_000_000 }, (editor) => {
    editor.set('title', title);
    editor.increment('likes', 1);
  });
}

/** Pairs of which some are new, some concurrent, some known and some first. */
function pairs(count: number): { readonly states: Uint8Array[]; readonly deltas: Uint8Array[] } {
  const found = Array.from({ length: count }, (_, index) => {
    const { state, delta } = written(nothing, 'eu', `first ${index}`);
    const later = written(state, 'us', `later ${index}`);
    const kinds = [
      [state, later.delta],
      [state, written(nothing, 'us', 'beside').delta],
      [later.state, later.delta],
      [nothing, delta],
      [state, nothing],
    ] as const;
    return kinds[index % kinds.length] ?? kinds[0];
  });
  return { states: found.map(([state]) => state), deltas: found.map(([, delta]) => delta) };
}

function refused(call: () => unknown): ConflictError {
  try {
    call();
  } catch (error) {
    if (error instanceof ConflictError) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
}

describe('mergeMany', () => {
  test.each([0, 1, 15, 16, 17, 32, 100])(
    'gives of %s pairs what merge gives of each, in their order',
    (count) => {
      const { states, deltas } = pairs(count);
      const expected = states.map((state, index) => merge(state, deltas[index] ?? nothing));
      const merged = mergeMany(states, deltas);
      expect(merged.map(({ state, changed, conflicts }) => ({ state, changed, conflicts }))).toEqual(
        expected.map(({ state, changed, conflicts }) => ({ state, changed, conflicts })),
      );
      for (const [index, { state, changed }] of merged.entries()) {
        if (!changed) expect(state).toBe(states[index]);
      }
      // Every kind of pair is among them, or the test compares less than it says.
      if (count > 5)
        expect(new Set(merged.map(({ changed, conflicts }) => `${changed} ${conflicts.join()}`)).size).toBe(
          3,
        );
    },
  );

  test('takes anything that lists bytes', () => {
    const { states, deltas } = pairs(20);
    expect(mergeMany(states.values(), new Map(deltas.entries()).values())).toHaveLength(20);
  });

  test.each([0, 7, 16, 39])('names the place of the pair %s that is refused', (place) => {
    const { states, deltas } = pairs(40);
    deltas[place] = Uint8Array.of(1, 2, 3);
    const alone = refused(() => merge(states[place] ?? nothing, deltas[place] ?? nothing));
    const error = refused(() => mergeMany(states, deltas));
    expect({
      code: error.code,
      rule: error.rule,
      limit: error.limit,
      value: error.value,
      field: error.field,
    }).toEqual({
      code: alone.code,
      rule: alone.rule,
      limit: alone.limit,
      value: alone.value,
      field: String(place),
    });
    expect(error.message).toBe(`${place}: ${alone.message}`);
  });

  test('refuses lists of different lengths before it merges', () => {
    const { states, deltas } = pairs(3);
    const error = refused(() => mergeMany(states, deltas.slice(1)));
    expect(error).toMatchObject({
      code: 'invalid-argument',
      rule: 'as many deltas as states',
      limit: 3,
      value: 2,
    });
  });
});

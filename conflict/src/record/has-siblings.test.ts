/** The walk never says no where reading shows siblings, and says yes of nothing else that is well formed and small. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  counter,
  type Editor,
  hasSiblings,
  map,
  merge,
  register,
  type Schema,
  schema,
  set,
} from '../index.ts';
import { tagRegister } from '../codec/format.ts';
import { decode } from './decoded-record.ts';

const nothing: Uint8Array = new Uint8Array(0);
const fields = { a: register(), b: register(), n: counter(), tags: set(), open: map(map(register())) };
const actors = ['ap', 'eu', 'us~1.8fe2', 'é'];

const edits: readonly ((e: Editor, n: number) => void)[] = [
  (e, n) => e.set('a', n),
  (e, n) => e.set('b', 'x'.repeat(50 * n)),
  (e, n) => e.set(['open', 'é', `m${n}`], n),
  (e, n) => e.increment('n', n + 1),
  (e, n) => e.add('tags', [n]),
  (e, n) => e.clear(['a', 'n', 'tags', 'open'][n] ?? 'a'),
  (e) => e.delete(),
];

const step = fc.record({
  at: fc.nat({ max: 3 }),
  from: fc.nat({ max: 3 }),
  edit: fc.nat({ max: 2 * edits.length }),
  n: fc.nat({ max: 3 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Every state of a history in which states are merged into each other at any time. */
function statesOf(steps: readonly Step[], type: Schema): readonly Uint8Array[] {
  const latest = actors.map(() => nothing);
  return steps.map(({ at, from, edit, n }, now) => {
    const before = latest[at] ?? nothing;
    const change = edits[edit];
    const after =
      change === undefined
        ? merge(before, latest[from] ?? nothing).state
        : type.edit(before, { actor: actors[at] ?? '', now }, (e) => change(e, n)).state;
    latest[at] = after;
    return after;
  });
}

/** Said by the definition: two entries of one register, by different actors. */
function areThere(state: Uint8Array): boolean {
  const registers = decode(state).entries.filter(({ tag }) => tag === tagRegister);
  return registers.some(({ key, actor }, index) => {
    const next = registers[index + 1];
    return next !== undefined && next.key === key && next.actor !== actor;
  });
}

describe.each(['add-wins', 'last-writer-wins'] as const)('%s', (deletes) => {
  const type: Schema = schema(fields, { deletes });

  test('what reading shows is never denied', () => {
    let shown = 0;
    let denied = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
        for (const state of statesOf(steps, type)) {
          const found = hasSiblings(state);
          expect(found).toBe(areThere(state));
          if (Object.keys(type.read(state).siblings).length > 0) {
            shown++;
            expect(found).toBe(true);
          }
          if (!found) denied++;
        }
      }),
      { numRuns: 300 },
    );
    expect(shown).toBeGreaterThan(100);
    expect(denied).toBeGreaterThan(100);
  });
});

test('bytes that are not walked are worth a look, and end', () => {
  const type = schema(fields);
  const { state } = type.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.set('a', 'one'));
  expect(hasSiblings(state)).toBe(false);
  expect(hasSiblings(nothing)).toBe(false);
  for (const [what, bytes] of [
    ['another version', state.with(0, 0x20)],
    ['too many actors', state.with(1, 0x80)],
    ['a name without end', state.with(2, 0xff)],
    ['runs without end', Uint8Array.of(0x10, 1, 1, 0x61, 1, 0xff, 0xff, 0xff, 0x7f)],
    ['an entry without end', state.slice(0, -1)],
    ['an actor of no index', Uint8Array.of(0x10, 0, 3, 0x7f, 1, 0xf6)],
  ] as const)
    expect(hasSiblings(bytes), what).toBe(true);
});

test('a record of more actors than the walk takes is worth a look', () => {
  const type = schema(fields);
  let state = nothing;
  for (let index = 0; index < 130; index++)
    ({ state } = type.edit(state, { actor: `actor-${index}`, now: index }, (e) => e.increment('n', 1)));
  expect(hasSiblings(state)).toBe(true);
});

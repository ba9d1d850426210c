/** The walk over bytes gives what the definition gives, wherever it does not decline, and seldom declines. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundedCounter,
  ConflictError,
  counter,
  type Editor,
  map,
  merge,
  register,
  type Schema,
  schema,
  set,
} from '../index.ts';
import { byteMerge } from './byte-merge.ts';
import { decode, encode } from './decoded-record.ts';
import { join } from './join.ts';

const fields = {
  a: register(),
  b: register(),
  n: counter(),
  tags: set(),
  banned: set({ bias: 'remove' }),
  stock: boundedCounter(),
  open: map(map(register())),
};
const actors = ['ap', 'eu', 'us~1.8fe2', 'é'];
const nothing: Uint8Array = new Uint8Array(0);

const edits: readonly ((e: Editor, n: number) => void)[] = [
  (e, n) => e.set('a', n),
  (e, n) => e.set('b', 'x'.repeat(20 * n)),
  (e, n) => e.increment('n', 100 * n - 150),
  (e, n) => e.add('tags', [n]),
  (e, n) => e.remove('tags', [n]),
  (e, n) => e.remove('banned', [n]),
  (e, n) => e.refill('stock', n),
  (e, n) => e.set(['open', 'é', `m${n}`], n),
  (e, n) => e.clear(['a', 'n', 'tags', 'open'][n] ?? 'a'),
  (e, n) => (n === 0 ? e.delete() : e.set('a', 'again')),
];

const step = fc.record({
  at: fc.nat({ max: 3 }),
  edit: fc.nat({ max: 2 * edits.length }),
  n: fc.nat({ max: 3 }),
  pick: fc.nat(),
  floor: fc.constantFrom(0, 0, 0, 300),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Pair {
  readonly state: Uint8Array;
  readonly delta: Uint8Array;
}

/** Every merge of a history in which deltas, folded deltas and states arrive in any order and more than once. */
function mergesOf(steps: readonly Step[], type: Schema): readonly Pair[] {
  const states = actors.map(() => nothing);
  const sent: Uint8Array[] = [];
  const pairs: Pair[] = [];
  for (const [now, { at, edit, n, pick, floor }] of steps.entries()) {
    const before = states[at] ?? nothing;
    const change = edits[edit];
    if (change !== undefined) {
      const edited = type.edit(before, { actor: actors[at] ?? '', now, floor }, (e) => change(e, n));
      states[at] = edited.state;
      sent.push(edited.delta, edited.delta, edited.state);
      continue;
    }
    const one = sent[pick % (sent.length + 1)] ?? nothing;
    const delta = pick % 5 === 0 ? merge(one, sent[(pick >> 8) % (sent.length + 1)] ?? nothing).state : one;
    pairs.push({ state: before, delta });
    states[at] = merge(before, delta).state;
  }
  return pairs;
}

/** What has several values after the merge, at least one of which was not there before. */
function broughtConflicts(type: Schema, before: Uint8Array, after: Uint8Array): readonly string[] {
  const old = type.read(before).siblings;
  return Object.entries(type.read(after).siblings)
    .filter(([path, siblings]) => {
      const dots = new Set((old[path] ?? []).map(({ actor, counter: dot }) => `${actor} ${dot}`));
      const added = siblings.filter(({ actor, counter: dot }) => !dots.has(`${actor} ${dot}`));
      return old[path] === undefined || added.length > 0;
    })
    .map(([path]) => path);
}

describe.each(['add-wins', 'last-writer-wins'] as const)('%s', (deletes) => {
  const type: Schema = schema(fields, { deletes });
  const histories = fc.array(step, { minLength: 10, maxLength: 60 });

  test('the walk and the definition give the same bytes and the same conflicts', () => {
    let walked = 0;
    let merges = 0;
    fc.assert(
      fc.property(histories, (steps) => {
        for (const { state, delta } of mergesOf(steps, type)) {
          const defined = encode(join(decode(state), decode(delta)));
          const result = byteMerge(state, delta);
          if (result !== null) {
            walked++;
            expect(result).toEqual(defined);
          }
          merges++;
          const { state: joined, conflicts } = merge(state, delta);
          expect(joined).toEqual(defined);
          expect([...conflicts].toSorted()).toEqual(broughtConflicts(type, state, joined).toSorted());
        }
      }),
      { numRuns: 500 },
    );
    expect(walked).toBeGreaterThan(merges / 4);
  });
});

test('the walk takes what is written one after the other, also by actors that are new', () => {
  const type = schema({ a: register(), n: counter(), tags: set() });
  let state = nothing;
  let behind = nothing;
  for (const [now, actor] of ['m', 'z', 'a', 'k', 'm', 'a', 'z'].entries()) {
    const edited = type.edit(state, { actor, now }, (e) => {
      e.set('a', actor);
      e.increment('n', 1);
      e.add('tags', [actor]);
    });
    if (behind.length > 0) {
      expect(byteMerge(behind, edited.delta)).toEqual(edited.state);
      expect(byteMerge(behind, edited.state)).toEqual(edited.state);
    }
    ({ state } = edited);
    behind = edited.state;
  }
});

describe('one value in the place of another', () => {
  const type = schema({ a: register(), b: register(), c: register() });
  const edit = (state: Uint8Array, actor: string, change: (e: Editor) => void) =>
    type.edit(state, { actor, now: 1 }, change);
  const { state } = edit(nothing, 'eu', (e) => {
    e.set('a', 'one');
    e.set('b', 'two');
    e.set('c', 'three');
  });

  test.each(['a', 'b', 'c'])('is walked: %s', (field) => {
    for (const value of ['', 'four', 'x'.repeat(100), 'y'.repeat(2000)]) {
      const edited = edit(state, 'eu', (e) => e.set(field, value));
      expect(byteMerge(state, edited.delta)).toEqual(edited.state);
      const again = edit(edited.state, 'us', (e) => e.set(field, 5));
      expect(byteMerge(edited.state, again.delta)).toEqual(again.state);
      expect(merge(edited.state, again.delta).conflicts).toEqual([]);
    }
  });

  test('or beside another', () => {
    const mine = edit(state, 'eu', (e) => e.set('b', 'mine'));
    const theirs = edit(state, 'us', (e) => e.set('b', 'theirs'));
    const two = edit(state, 'us', (e) => {
      e.set('a', 1);
      e.set('b', 2);
    });
    const siblings = merge(mine.state, theirs.delta).state;
    const later = edit(theirs.state, 'us', (e) => e.set('b', 'later'));
    for (const [before, delta] of [
      [mine.state, theirs.delta],
      [siblings, later.delta],
      [state, two.delta],
      [state, edit(state, 'us', (e) => e.clear('b')).delta],
      [state, later.delta],
    ] as const) {
      expect(merge(before, delta).state).toEqual(encode(join(decode(before), decode(delta))));
    }
  });
});

test('the walk declines what is malformed, and merge names the fault', () => {
  const type = schema({ a: register(), n: counter() });
  const { state } = type.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.set('a', 'one'));
  const { delta } = type.edit(state, { actor: 'eu', now: 2 }, (e) => {
    e.set('a', 'two');
    e.increment('n', 1);
  });
  for (let length = 1; length < delta.length; length++) {
    const cut = delta.slice(0, length);
    const result = attempt(() => merge(state, cut));
    if (result instanceof ConflictError) expect(['malformed', 'newer-format']).toContain(result.code);
    else expect(encode(decode(cut))).toEqual(cut);
  }
});

function attempt<Result>(run: () => Result): Result | ConflictError {
  try {
    return run();
  } catch (reason) {
    if (reason instanceof ConflictError) return reason;
    throw reason;
  }
}

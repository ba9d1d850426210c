import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConflictError, counter, highestStamp, liveHash, merge, register, schema } from '../index.ts';
import type { Editor, Schema } from '../index.ts';

const fields = { title: register(), status: register({ resolve: 'siblings' }), likes: counter() };
const policies = ['add-wins', 'last-writer-wins'] as const;
const actors = ['ap', 'eu', 'us'];

type Step =
  | { readonly kind: 'edit'; readonly at: number; readonly edit: (editor: Editor) => void }
  | { readonly kind: 'deliver'; readonly from: number; readonly to: number; readonly whole: boolean };

const at = fc.nat({ max: 2 });
const edit = fc.oneof(
  fc.tuple(fc.constantFrom('title', 'status'), fc.nat({ max: 5 })).map(
    ([field, value]) =>
      (editor: Editor) =>
        editor.set(field, value),
  ),
  fc.integer({ min: -20, max: 20 }).map((amount) => (editor: Editor) => editor.increment('likes', amount)),
  fc.constantFrom('title', 'likes').map((field) => (editor: Editor) => editor.clear(field)),
  fc.constant((editor: Editor) => editor.delete()),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('edit' as const), at, edit }),
  fc.record({ kind: fc.constant('deliver' as const), from: at, to: at, whole: fc.boolean() }),
);

interface Replica {
  state: Uint8Array;
  readonly deltas: Uint8Array[];
}

/** Three replicas that edit and send each other the last delta or the whole state, in any order, perhaps twice. */
function play(steps: readonly Step[], type: Schema): readonly Replica[] {
  const replicas: Replica[] = actors.map(() => ({ state: new Uint8Array(0), deltas: [] }));
  for (const [index, move] of steps.entries()) {
    const replica = replicas[move.kind === 'edit' ? move.at : move.to];
    if (replica === undefined) continue;
    if (move.kind === 'deliver') {
      const source = replicas[move.from];
      const sent = move.whole ? source?.state : source?.deltas.at(-1);
      replica.state = merge(replica.state, sent ?? new Uint8Array(0)).state;
      continue;
    }
    const context = { actor: actors[move.at] ?? '', floor: 0, now: 1000 + index * ((move.at % 2) * 2 - 1) };
    const { state, delta } = type.edit(replica.state, context, move.edit);
    expect(merge(replica.state, delta).state).toEqual(state);
    replica.state = state;
    if (delta.length > 0) replica.deltas.push(delta);
  }
  return replicas;
}

test.each(policies)('merge is commutative, associative and idempotent, whatever happened (%s)', (deletes) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const [a, b, c] = play(steps, schema(fields, { deletes })).map((replica) => replica.state);
      if (a === undefined || b === undefined || c === undefined) return expect.fail('three replicas');
      const ab = merge(a, b).state;
      expect(merge(b, a).state).toEqual(ab);
      expect(merge(ab, c).state).toEqual(merge(a, merge(b, c).state).state);
      const again = merge(ab, a);
      expect(again.state).toBe(ab);
      expect(again.changed).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test.each(policies)(
  'replicas that have seen the same deltas in any order are the same bytes (%s)',
  (deletes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (steps, picks) => {
        const replicas = play(steps, schema(fields, { deletes }));
        const deltas = replicas.flatMap((replica) => replica.deltas);
        const forwards = deltas.reduce<Uint8Array>(
          (state, delta) => merge(state, delta).state,
          new Uint8Array(0),
        );
        const shuffled = deltas
          .map((delta) => ({ delta, key: picks.next().value }))
          .toSorted((x, y) => x.key - y.key);
        const backwards = shuffled.reduce<Uint8Array>(
          (state, { delta }) => merge(state, delta).state,
          new Uint8Array(0),
        );
        const folded = shuffled.reduceRight<Uint8Array>(
          (delta, next) => merge(next.delta, delta).state,
          new Uint8Array(0),
        );
        expect(backwards).toEqual(forwards);
        expect(folded).toEqual(forwards);
        for (const replica of replicas) expect(merge(forwards, replica.state).state).toEqual(forwards);
      }),
      { numRuns: 500 },
    );
  },
);

const products = schema(fields);
const profiles = schema(fields, { deletes: 'last-writer-wins' });
const nothing = new Uint8Array(0);

function by(
  type: Schema,
  actor: string,
  state: Uint8Array,
  now: number,
  change: (editor: Editor) => void,
): Uint8Array {
  return type.edit(state, { actor, floor: 0, now }, change).state;
}

function both(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = merge(a, b).state;
  expect(merge(b, a).state).toEqual(joined);
  return joined;
}

function valuesOf(type: Schema, state: Uint8Array): unknown {
  const reading = type.read(state);
  return reading === null ? null : Object.fromEntries(reading.fields);
}

test('two regions set different fields: both stay', () => {
  const base = by(products, 'eu', nothing, 1, (e) => e.set('title', 'x'));
  const a = by(products, 'eu', base, 2, (e) => e.set('title', 'y'));
  const b = by(products, 'us', base, 3, (e) => e.set('status', 'new'));
  expect(valuesOf(products, both(a, b))).toEqual({ title: 'y', status: 'new', likes: 0 });
});

test('one field at the same time: the later stamp shows, the other stays as a sibling', () => {
  const a = by(products, 'eu', nothing, 10, (e) => e.set('title', 'early'));
  const b = by(products, 'us', nothing, 20, (e) => e.set('title', 'late'));
  const reading = products.read(both(a, b));
  expect(reading?.fields.get('title')).toBe('late');
  expect(reading?.siblings.get('title')).toEqual([
    { value: 'late', atMs: 20, actor: 'us', shown: true },
    { value: 'early', atMs: 10, actor: 'eu', shown: false },
  ]);
  expect(merge(a, b).conflicts).toEqual(['title']);
  const resolved = by(products, 'eu', both(a, b), 5, (e) => e.set('title', 'chosen'));
  expect(products.read(resolved)?.siblings.size).toBe(0);
});

test('a write that saw another wins over it whatever the clocks say', () => {
  const ahead = by(products, 'eu', nothing, 600_000, (e) => e.set('title', 'ahead'));
  const after = by(products, 'us', ahead, 1, (e) => e.set('title', 'after'));
  expect(valuesOf(products, both(ahead, after))).toMatchObject({ title: 'after' });
  expect(highestStamp(after)).toBe(600_000);
});

test('add-wins: a delete takes what it saw, a concurrent update lives and nothing else does', () => {
  const base = by(products, 'eu', nothing, 1, (e) => {
    e.set('title', 'x');
    e.set('status', 'new');
    e.increment('likes', 7);
  });
  const deleted = by(products, 'eu', base, 50, (e) => e.delete());
  expect(products.read(deleted)).toBeNull();
  expect(liveHash(deleted)).toBeNull();
  const updated = by(products, 'us', base, 2, (e) => {
    e.set('title', 'y');
    e.increment('likes', 5);
  });
  expect(valuesOf(products, both(deleted, updated))).toEqual({ title: 'y', likes: 5 });
});

test('last-writer-wins: the later of delete and update', () => {
  const base = by(profiles, 'eu', nothing, 1, (e) => e.set('title', 'x'));
  const deleted = by(profiles, 'eu', base, 50, (e) => e.delete());
  const earlier = by(profiles, 'us', base, 40, (e) => e.set('status', 'old'));
  const later = by(profiles, 'us', base, 60, (e) => e.set('status', 'new'));
  expect(profiles.read(both(deleted, earlier))).toBeNull();
  expect(valuesOf(profiles, both(deleted, later))).toEqual({ status: 'new', likes: 0 });
});

test('both delete, one inserts again: it is there everywhere', () => {
  for (const type of [products, profiles]) {
    const base = by(type, 'eu', nothing, 1, (e) => e.set('title', 'x'));
    const a = by(type, 'eu', base, 10, (e) => e.delete());
    const b = by(type, 'us', base, 11, (e) => e.delete());
    const again = by(type, 'us', b, 12, (e) => e.set('title', 'again'));
    expect(valuesOf(type, both(a, again))).toEqual({ title: 'again', likes: 0 });
  }
});

test('counters: 1 and 10 are 11; a reset keeps what it did not see; the range is checked', () => {
  const base = by(products, 'eu', nothing, 1, (e) => e.increment('likes', 1));
  const other = by(products, 'us', nothing, 1, (e) => e.increment('likes', 10));
  const joined = both(base, other);
  expect(valuesOf(products, joined)).toEqual({ likes: 11 });
  const reset = by(products, 'eu', joined, 2, (e) => e.clear('likes'));
  const more = by(products, 'us', joined, 2, (e) => e.increment('likes', 5));
  expect(valuesOf(products, both(reset, more))).toEqual({ likes: 5 });
  const full = by(products, 'eu', nothing, 1, (e) => e.increment('likes', Number.MAX_SAFE_INTEGER));
  expect(() => by(products, 'eu', full, 2, (e) => e.increment('likes', 1))).toThrow(ConflictError);
  expect(() => by(products, 'us', full, 2, (e) => e.increment('likes', 1))).toThrow(ConflictError);
});

test('an edit that creates an empty record leaves a record', () => {
  const created = by(products, 'eu', nothing, 5, () => undefined);
  expect(valuesOf(products, created)).toEqual({ likes: 0 });
  const emptied = by(
    products,
    'eu',
    by(products, 'eu', nothing, 1, (e) => e.set('title', 'x')),
    2,
    (e) => e.clear('title'),
  );
  expect(valuesOf(products, emptied)).toEqual({ likes: 0 });
});

test('an actor whose dots were forgotten goes on above the floor and claims them (P3)', () => {
  const { delta } = products.edit(nothing, { actor: 'eu', floor: 9, now: 1 }, (e) => e.set('title', 'again'));
  const stale = by(products, 'eu', nothing, 1, (e) => e.set('title', 'collected'));
  expect(products.read(merge(stale, delta).state)?.siblings.size).toBe(0);
  expect(valuesOf(products, merge(stale, delta).state)).toMatchObject({ title: 'again' });
});

test('what JSON cannot hold is refused by name, and odd names are data', () => {
  for (const value of [Number.NaN, 1n, undefined, new Date(0), '\ud800', { a: [() => 1] }]) {
    expect(() => by(products, 'eu', nothing, 1, (e) => e.set('title', value))).toThrow(ConflictError);
  }
  const odd = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": -0.5}') as unknown;
  const reading = products.read(by(products, 'eu', nothing, 1, (e) => e.set('title', odd)));
  expect(JSON.stringify(reading?.fields.get('title'))).toBe(
    '{"__proto__":{"x":1},"constructor":2,"toString":-0.5}',
  );
  expect(() => by(products, 'eu', nothing, 1, (e) => e.set('colour', 1))).toThrow(/colour/);
  expect(() => by(products, 'eu', nothing, 1, (e) => e.increment('title', 1))).toThrow(/wrong-operation/);
});

test('any bytes end in a record or in a typed error', () => {
  const state = by(
    products,
    'eu',
    by(products, 'us', nothing, 1, (e) => e.increment('likes', 3)),
    2,
    (e) => e.set('title', 'abc'),
  );
  fc.assert(
    fc.property(
      fc.nat({ max: state.length - 1 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: state.length }),
      (index, byte, end) => {
        const mutated = state.slice(0, end);
        if (index < end) mutated[index] = byte;
        try {
          const { state: joined } = merge(state, mutated);
          expect(merge(joined, mutated).changed).toBe(false);
          products.read(joined);
        } catch (reason) {
          expect(reason).toBeInstanceOf(ConflictError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

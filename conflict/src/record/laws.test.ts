/** The laws of the join over random histories of three replicas, for every type and both policies of deletes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  boundedCounter,
  ConflictError,
  counter,
  type Editor,
  liveHash,
  map,
  merge,
  register,
  type Schema,
  schema,
  set,
  text,
  validate,
  version,
} from '../index.ts';
import { yjsText } from '../text/yjs-text.ts';
import { decode, encode } from './decoded-record.ts';

const fields = {
  title: register(),
  status: register({ resolve: 'siblings' }),
  likes: counter(),
  stock: boundedCounter({ min: 0 }),
  tags: set(),
  banned: set({ bias: 'remove' }),
  notes: text(),
  tree: map({ leaf: register(), deep: map(map({ count: counter(), set: set() })) }),
};
const actors = ['ap.1', 'eu.1', 'us.1'];
const nothing: Uint8Array = new Uint8Array(0);

/** An operation as data, so that a counterexample can be read. */
type Operation = readonly [name: keyof Editor, ...values: readonly unknown[]];

type Step =
  | {
      readonly kind: 'edit';
      readonly at: number;
      readonly floor: number;
      readonly operations: readonly Operation[];
    }
  | { readonly kind: 'deliver'; readonly from: number; readonly to: number; readonly pick: number };

const small = fc.nat({ max: 3 });
const element = fc.constantFrom<string | number | boolean>('a', 'b', 1, true).map((value) => [value]);
const member = fc.constantFrom('m', 'n.o', '__proto__');
const count = member.map((name) => ['tree', 'deep', name, 'count']);
const inner = member.map((name) => ['tree', 'deep', name, 'set']);
const anyField = fc.constantFrom('title', 'likes', 'stock', 'tags', 'banned', 'notes', 'tree', 'tree.deep');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(fc.constant<keyof Editor>('set'), fc.constantFrom('title', 'status', 'tree.leaf'), small),
  fc.tuple(
    fc.constant<keyof Editor>('increment'),
    fc.oneof(fc.constant('likes'), count),
    fc.integer({ min: -9, max: 9 }),
  ),
  fc.tuple(
    fc.constantFrom<(keyof Editor)[]>('add', 'remove'),
    fc.oneof(fc.constantFrom('tags', 'banned'), inner),
    element,
  ),
  fc.tuple(fc.constantFrom<(keyof Editor)[]>('refill', 'spend'), fc.constant('stock'), small),
  fc.tuple(
    fc.constant<keyof Editor>('moveRights'),
    fc.constant('stock'),
    fc.record({ to: fc.constantFrom(...actors), amount: small }),
  ),
  fc.tuple(
    fc.constant<keyof Editor>('splice'),
    fc.constant('notes'),
    fc.constantFrom('x', 'yz').map((insert) => [{ at: 0, insert }]),
  ),
  fc.tuple(fc.constant<keyof Editor>('clear'), anyField),
  fc.constant<Operation>(['delete']),
  fc.constant<Operation>(['put', { title: 1, tags: ['b'], notes: 'put', tree: { leaf: 2 } }]),
);
const at = fc.nat({ max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('edit' as const),
    at,
    floor: fc.constantFrom(0, 0, 0, 7),
    operations: fc.array(operation, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('deliver' as const), from: at, to: at, pick: fc.nat() }),
);

const anyOperation = fc.constantFrom<Operation>(
  ['set', 'title', 1],
  ['set', 'title', 2],
  ['clear', 'title'],
  ['add', 'banned', ['a']],
  ['remove', 'banned', ['a']],
  ['clear', 'banned'],
  ['increment', 'likes', 3],
  ['clear', 'likes'],
  ['delete'],
);

/** Edits one after the other, of which all but the `alone` ones have seen all before them. */
const told = fc.array(fc.record({ at, operation: anyOperation, alone: fc.nat({ max: 3 }) }), {
  maxLength: 10,
});

/** The deltas of such edits. */
function tell(edits: typeof told extends fc.Arbitrary<infer E> ? E : never, type: Schema) {
  const own = [nothing, nothing, nothing];
  let all = nothing;
  return edits.map(({ at: index, operation: each, alone }, now) => {
    const before = alone === 0 ? (own[index] ?? nothing) : all;
    const { state, delta } = type.edit(before, { actor: actors[index] ?? '', now }, (e) => run(e, each));
    own[index] = state;
    all = merge(all, delta).state;
    return delta;
  });
}

function run(editor: Editor, [name, ...values]: Operation): void {
  Reflect.apply(editor[name], editor, values);
}

interface Replica {
  state: Uint8Array;
  readonly deltas: Uint8Array[];
}

/** Replicas that edit, and send each other deltas or whole states, in any order and perhaps twice. */
function play(steps: readonly Step[], type: Schema): readonly [Replica, Replica, Replica] {
  const replicas = [0, 1, 2].map((): Replica => ({ state: nothing, deltas: [] }));
  const [a, b, c] = replicas;
  if (a === undefined || b === undefined || c === undefined) return expect.fail('three replicas');
  const all = [a, b, c] as const;
  for (const [index, move] of steps.entries()) {
    if (move.kind === 'edit') edit(all[move.at] ?? a, move, { type, index });
    else {
      const { state, deltas } = all[move.from] ?? a;
      const target = all[move.to] ?? a;
      target.state = merge(
        target.state,
        [...deltas, state][move.pick % (deltas.length + 1)] ?? nothing,
      ).state;
    }
  }
  return all;
}

function edit(
  replica: Replica,
  move: Extract<Step, { kind: 'edit' }>,
  { type, index }: { type: Schema; index: number },
): void {
  const context = { actor: actors[move.at] ?? '', floor: move.floor, now: 1000 + (index % 5) };
  try {
    const { state, delta } = type.edit(replica.state, context, (editor) => {
      for (const each of move.operations) run(editor, each);
    });
    validate(state);
    validate(delta);
    expect(merge(replica.state, delta).state).toEqual(state);
    expect(type.read(state).exists).toBe(liveHash(state).some((byte) => byte !== 0));
    const isShownSame = JSON.stringify(type.read(state)) === JSON.stringify(type.read(replica.state));
    if (!isShownSame) expect(version(state)).not.toBe(version(replica.state));
    replica.state = state;
    if (delta.length > 0) replica.deltas.push(delta);
  } catch (reason) {
    const expected =
      reason instanceof ConflictError && (reason.code === 'insufficient-rights' || reason.rule === 'actor');
    if (!expected) throw reason;
  }
}

function shuffled(deltas: readonly Uint8Array[], picks: fc.Stream<number>): readonly Uint8Array[] {
  return deltas
    .map((delta) => ({ delta, key: picks.next().value }))
    .toSorted((x, y) => x.key - y.key)
    .map(({ delta }) => delta);
}

describe.each(['add-wins', 'last-writer-wins'] as const)('%s', (deletes) => {
  const type: Schema = schema(fields, { deletes, text: yjsText });
  const histories = fc.array(step, { maxLength: 25 });

  test('merge is commutative, associative, idempotent and canonical', () => {
    fc.assert(
      fc.property(histories, (steps) => {
        const [a, b, c] = play(steps, type).map((replica) => replica.state);
        if (a === undefined || b === undefined || c === undefined) return expect.fail('three replicas');
        const ab = merge(a, b).state;
        expect(merge(b, a).state).toEqual(ab);
        expect(merge(ab, c).state).toEqual(merge(a, merge(b, c).state).state);
        expect(encode(decode(ab))).toEqual(ab);
        const again = merge(ab, a);
        expect(again.state).toBe(ab);
        expect(again.changed).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  test('any part of the deltas gives the same bytes in any order', () => {
    fc.assert(
      fc.property(told, fc.infiniteStream(fc.nat()), (edits, picks) => {
        const part = tell(edits, type).filter(() => picks.next().value % 3 > 0);
        const joins = [part, part.toReversed(), shuffled(part, picks)].map((some) =>
          some.reduce<Uint8Array>((state, delta) => merge(state, delta).state, nothing),
        );
        expect(joins[1]).toEqual(joins[0]);
        expect(joins[2]).toEqual(joins[0]);
      }),
      { numRuns: 1000 },
    );
  });

  test('deltas in any order, folded or one by one, give the same bytes', () => {
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), (steps, picks) => {
        const replicas = play(steps, type);
        const deltas = replicas.flatMap((replica) => replica.deltas);
        const forwards = deltas.reduce<Uint8Array>((state, delta) => merge(state, delta).state, nothing);
        const mixed = shuffled(deltas, picks);
        expect(mixed.reduce<Uint8Array>((state, delta) => merge(state, delta).state, nothing)).toEqual(
          forwards,
        );
        expect(mixed.reduceRight<Uint8Array>((all, delta) => merge(delta, all).state, nothing)).toEqual(
          forwards,
        );
        for (const { state } of replicas) {
          expect(merge(forwards, state).state).toEqual(forwards);
          expect(merge(state, forwards).state).toEqual(forwards);
        }
        const read = type.read(forwards);
        for (const { state } of replicas)
          expect(version(merge(state, forwards).state)).toBe(version(forwards));
        if (read.value !== null) expect(Number(read.value['stock'])).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 400 },
    );
  });
});

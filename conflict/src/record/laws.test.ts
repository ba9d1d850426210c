import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { counter as count, register } from '../types/declarations.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { decode } from './decoded.ts';
import type { Editor } from './editor.ts';
import { inspect } from './inspect.ts';
import { merge } from './merge.ts';
import { schema } from './schema.ts';
import { isDead, liveHash, version } from './summary.ts';
import { validate } from './validate.ts';

const fields = { a: register(), b: register({ resolve: 'siblings' }), n: count() };
const actors = ['eu', 'us', 'ap'];
const runs = { numRuns: 400 };
const nothing = new Uint8Array(0);

type Act =
  | readonly ['set' | 'clear', 'a' | 'b' | 'n']
  | readonly ['add', number]
  | readonly ['put' | 'delete'];
type Step =
  | { readonly kind: 'edit'; readonly at: number; readonly now: number; readonly acts: readonly Act[] }
  | { readonly kind: 'send'; readonly at: number; readonly to: number; readonly which: number }
  | { readonly kind: 'sync'; readonly at: number; readonly to: number };

const replica = fc.nat({ max: 2 });
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom('set' as const), fc.constantFrom('a' as const, 'b' as const)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      fc.constantFrom('clear' as const),
      fc.constantFrom('a' as const, 'b' as const, 'n' as const),
    ),
  },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('add' as const), fc.integer({ min: -5, max: 5 })) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom('delete' as const, 'put' as const)) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('edit' as const),
    at: replica,
    now: fc.nat({ max: 50 }),
    acts: fc.array(act, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('send' as const), at: replica, to: replica, which: fc.nat({ max: 40 }) }),
  fc.record({ kind: fc.constant('sync' as const), at: replica, to: replica }),
);
const steps = fc.array(step, { maxLength: 30 });

function act1(editor: Editor, [name, subject]: Act, value: number): void {
  if (name === 'set') editor.set(subject, value);
  else if (name === 'clear') editor.clear(subject);
  else if (name === 'add') editor.increment('n', subject);
  else if (name === 'put') editor.put({ a: value });
  else editor.delete();
}

interface World {
  readonly states: Uint8Array[];
  readonly deltas: Uint8Array[][];
}

/** Three replicas; deltas may be delivered in any order, many times or never. */
function play(rules: ReturnType<typeof schema>, history: readonly Step[]): World {
  const states: Uint8Array[] = actors.map(() => nothing);
  const deltas: Uint8Array[][] = actors.map(() => []);
  history.forEach((each, index) => {
    const state = states[each.at] ?? nothing;
    if (each.kind === 'edit') {
      const context = { actor: actors[each.at] ?? '', floor: 0, now: each.now };
      const result = rules.edit(state, context, (e) => each.acts.forEach((one) => act1(e, one, index)));
      states[each.at] = result.state;
      if (result.changed) deltas[each.at]?.push(result.delta);
    } else {
      const sent = deltas[each.at] ?? [];
      const message = each.kind === 'sync' ? state : sent[each.which % Math.max(1, sent.length)];
      states[each.to] = merge(states[each.to] ?? nothing, message ?? nothing).state;
    }
    expect(validate(states[each.at] ?? nothing)).toBeUndefined();
  });
  return { states, deltas };
}

const join = (left: Uint8Array, right: Uint8Array) => merge(left, right).state;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe.each(['add-wins', 'last-writer-wins'] as const)('laws, deletes %s', (deletes) => {
  const rules = schema(fields, { deletes });

  test('merge is commutative, associative and idempotent, over states and deltas alike', () => {
    fc.assert(
      fc.property(steps, fc.nat(), fc.nat(), fc.nat(), (history, i, j, k) => {
        const world = play(rules, history);
        const pool = [...world.states, ...world.deltas.flat()];
        const [a = nothing, b = nothing, c = nothing] = [i, j, k].map((n) => pool[n % pool.length]);
        expect(hex(join(a, b))).toBe(hex(join(b, a)));
        expect(hex(join(join(a, b), c))).toBe(hex(join(a, join(b, c))));
        const ab = join(a, b);
        expect(merge(ab, b).state).toBe(ab);
        expect(merge(ab, a).changed).toBe(false);
      }),
      runs,
    );
  });

  test('merging the delta equals merging the state after the edit, where the rest was seen', () => {
    fc.assert(
      fc.property(steps, replica, replica, fc.array(act, { maxLength: 3 }), (history, at, other, acts) => {
        const { states } = play(rules, history);
        const before = states[at] ?? nothing;
        const s = join(states[other] ?? nothing, before);
        const { state, delta, changed } = rules.edit(
          before,
          { actor: actors[at] ?? '', floor: 0, now: 9 },
          (e) => acts.forEach((one) => act1(e, one, 99)),
        );
        expect(hex(join(s, delta))).toBe(hex(join(s, state)));
        expect(hex(join(before, delta))).toBe(hex(state));
        expect(changed).toBe(hex(before) !== hex(state));
      }),
      runs,
    );
  });

  test('all deltas in any order, with repetitions, make the same bytes as all states', () => {
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat({ max: 1000 })), (history, dice) => {
        const { states, deltas } = play(rules, history);
        const roll = () => dice.next().value ?? 0;
        const shuffled = deltas
          .flat()
          .flatMap((delta) => (roll() % 3 === 0 ? [delta, delta] : [delta]))
          .map((delta) => ({ delta, rank: roll() }))
          .toSorted((left, right) => left.rank - right.rank);
        const all = shuffled.reduce((state, { delta }) => join(state, delta), nothing as Uint8Array);
        const wanted = states.reduce(join);
        expect(hex(all)).toBe(hex(wanted));
        expect(rules.read(all)).toEqual(rules.read(wanted));
        const view = rules.read(wanted);
        expect(view.exists).toBe(!isDead(wanted));
        expect(view.version).toBe(hex(liveHash(wanted)));
      }),
      runs,
    );
  });

  test('a delta from above a floor is told from an earlier life by everyone', () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 3 }), (history, extra) => {
        const { states } = play(rules, history);
        const seen = inspect(states.reduce(join)).context.find(({ actor }) => actor === 'eu')?.last ?? 0;
        const life = rules.edit(nothing, { actor: 'eu', floor: seen + extra, now: 1 }, (e) =>
          e.set('a', 'again'),
        );
        for (const state of states) {
          const kept = inspect(join(state, life.delta)).entries.filter(({ dot }) => dot.actor === 'eu');
          expect(kept.every(({ dot }) => dot.counter > seen)).toBe(true);
          expect(kept.some(({ value }) => value === 'again')).toBe(true);
        }
      }),
      runs,
    );
  });
});

/** Every increment and reset as a set of marks, by hand: what a counter must show. */
test('counters agree with a count of increments that no seen reset covers', () => {
  const rules = schema(fields, { deletes: 'add-wins' });
  const move = fc.tuple(
    replica,
    fc.constantFrom('inc', 'reset', 'delete', 'sync'),
    fc.integer({ min: -9, max: 9 }),
    replica,
  );
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const states: Uint8Array[] = actors.map(() => nothing);
      const made = actors.map(() => new Map<number, number>());
      const gone = actors.map(() => new Set<number>());
      moves.forEach(([at, what, amount, to], id) => {
        const source = states[at] ?? nothing;
        if (what === 'sync') {
          states[to] = join(states[to] ?? nothing, source);
          made[at]?.forEach((value, key) => made[to]?.set(key, value));
          gone[at]?.forEach((key) => gone[to]?.add(key));
          return;
        }
        if (what === 'inc') made[at]?.set(id, amount);
        else made[at]?.forEach((_value, key) => gone[at]?.add(key));
        states[at] = rules.edit(source, { actor: actors[at] ?? '', floor: 0, now: 1 }, (e) => {
          if (what === 'inc') e.increment('n', amount);
          else if (what === 'reset') e.clear('n');
          else e.delete();
        }).state;
      });
      states.forEach((state, at) => {
        const live = [...(made[at] ?? [])].filter(([key]) => !gone[at]?.has(key));
        const wanted = live.reduce((sum, [, value]) => sum + value, 0);
        const { exists, value } = rules.read(state);
        if (exists) expect(value?.['n']).toBe(wanted);
        else expect(wanted).toBe(0);
      });
    }),
    { numRuns: 1000 },
  );
});

/** A state by a newer version: entries of one kind at the path z. */
function foreign(actor: string, tag: number, counters: readonly number[], payload: readonly number[]) {
  const writer = new ByteWriter(64);
  for (const byte of [0x13, 1]) writer.byte(byte);
  writer.block(Buffer.from(actor));
  for (const byte of [Math.max(...counters), 0]) writer.byte(byte);
  for (const counter of counters) {
    writer.block(Buffer.from('z'));
    for (const byte of [tag, 0, counter]) writer.byte(byte);
    writer.block(Uint8Array.from(payload));
  }
  return writer.finish();
}

describe('bytes of others', () => {
  const rules = schema(fields, { deletes: 'last-writer-wins' });

  test('entries of unknown kinds and newer minor versions are kept and joined', () => {
    const odd = foreign('xx', 0x09, [1, 2], [7, 0, 7]);
    const vector = foreign('yy', 0x4a, [1], [5, 1]);
    const grown = foreign('yy', 0x4a, [1], [2, 9, 1]);
    const edited = rules.edit(nothing, { actor: 'eu', floor: 0, now: 5 }, (e) => e.set('a', 1)).state;
    const all = [odd, vector, grown, edited].reduce(join);
    expect(hex(all)).toBe(hex([grown, edited, vector, odd].reduce(join)));
    expect(all[0]).toBe(0x13);
    validate(all);
    const kept = inspect(all).entries.filter(({ path }) => path === 'z');
    expect(kept.map(({ kind, dot }) => [kind, dot.counter])).toEqual([
      ['unknown-9', 1],
      ['unknown-9', 2],
      ['unknown-74', 1],
    ]);
    const payloads = decode(all)
      .entries.filter(({ path }) => path === 'z')
      .map(({ payload }) => [...payload]);
    expect(payloads).toEqual([
      [7, 0, 7],
      [7, 0, 7],
      [5, 9, 1],
    ]);
    const after = rules.edit(all, { actor: 'eu', floor: 0, now: 6 }, (e) => e.set('a', 2)).state;
    expect(inspect(after).entries.filter(({ path }) => path === 'z').length).toBe(3);
    expect(() => merge(Uint8Array.from([0x20, ...all.slice(1)]), edited)).toThrow('unknown layout');
  });

  test('one dot with two contents is settled the same way everywhere', () => {
    const make = (value: number) =>
      rules.edit(nothing, { actor: 'eu', floor: 0, now: 5 }, (e) => e.set('a', value)).state;
    expect(hex(join(make(1), make(2)))).toBe(hex(join(make(2), make(1))));
    expect(rules.read(join(make(1), make(2))).value).toMatchObject({ a: 2 });
  });

  test('cut, flipped and random bytes are malformed or harmless, never anything else', () => {
    const sample = play(rules, [
      {
        kind: 'edit',
        at: 0,
        now: 5,
        acts: [
          ['set', 'a'],
          ['add', 3],
        ],
      },
      {
        kind: 'edit',
        at: 1,
        now: 5,
        acts: [
          ['set', 'a'],
          ['add', 300],
        ],
      },
      { kind: 'edit', at: 2, now: 5, acts: [['put'], ['delete'], ['set', 'b']] },
      { kind: 'edit', at: 2, now: 5, acts: [['delete']] },
      { kind: 'edit', at: 2, now: 5, acts: [['set', 'b']] },
    ]).states.reduce(join);
    const flip = fc.tuple(fc.nat({ max: sample.length - 1 }), fc.integer({ min: 0, max: 255 }));
    const mutated = fc
      .tuple(fc.array(flip, { maxLength: 4 }), fc.nat({ max: sample.length }))
      .map(([flips, end]) => {
        const copy = sample.slice();
        for (const [at, value] of flips) copy[at] = value;
        return end % 3 === 0 ? copy.slice(0, end) : copy;
      });
    const random = fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from([0x10, ...bytes]));
    const tried = [
      validate,
      inspect,
      version,
      (bytes: Uint8Array) => rules.read(bytes),
      (bytes: Uint8Array) => merge(sample, bytes),
    ];
    fc.assert(
      fc.property(fc.oneof(mutated, random), (bytes) => {
        for (const run of tried) {
          try {
            run(bytes);
          } catch (error) {
            expect(error).toMatchObject({ name: 'ConflictError', code: 'malformed' });
          }
        }
      }),
      { numRuns: 5000 },
    );
  });

  const actor = [1, 0x61, 2, 0];
  const entry = [1, 0x7a, 0x09, 0, 1, 1, 7];
  const sound = [0x10, 1, ...actor, ...entry];
  const broken: readonly (readonly [string, readonly number[]])[] = [
    ['another layout', [0x20, 1, ...actor, ...entry]],
    ['no actors', [0x10, 0]],
    ['a count that lies', [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['more dots than bytes', [0x10, 1, 1, 0x61, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['an actor twice', [0x10, 2, ...actor, ...actor, ...entry]],
    ['actors out of order', [0x10, 2, 1, 0x62, 1, 0, ...actor, ...entry]],
    ['an actor of whom nothing is seen', [0x10, 1, 1, 0x61, 0, 0]],
    ['a dot that belongs to the contiguous part', [0x10, 1, 1, 0x61, 2, 1, 1, ...entry]],
    ['an entry twice', [...sound, ...entry]],
    ['entries out of order', [...sound, 1, 0x79, 0x09, 0, 2, 0]],
    ['an entry of nobody', [0x10, 1, ...actor, 1, 0x7a, 0x09, 1, 1, 0]],
    ['a dot outside the context', [0x10, 1, ...actor, 1, 0x7a, 0x09, 0, 3, 0]],
    ['dot 0', [0x10, 1, ...actor, 1, 0x7a, 0x09, 0, 0, 0]],
    ['a payload past the end', sound.slice(0, -1)],
  ];
  test.each(broken)('%s is refused by validate and by merge', (_name, bytes) => {
    validate(nothing);
    validate(Uint8Array.from(sound));
    const other = rules.edit(nothing, { actor: 'eu', floor: 0, now: 5 }, (e) => e.set('a', 1)).state;
    expect(() => validate(Uint8Array.from(bytes))).toThrow('malformed');
    expect(() => merge(other, Uint8Array.from(bytes))).toThrow('malformed');
    expect(() => merge(Uint8Array.from(bytes), other)).toThrow('malformed');
  });

  const register8 = [0x21, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
  const invalid: readonly (readonly [string, readonly number[]])[] = [
    ['a register that is not canonical JSON', [1, 0x7a, ...register8, 3, 0x31, 0x2e, 0x30]],
    ['a register of the record itself', [0, ...register8, 1, 0x31]],
    ['a mark with a payload', [0, 0x22, ...register8.slice(1), 1, 0x31]],
    ['a mark of a field', [1, 0x7a, 0x22, ...register8.slice(1), 0]],
    ['a counter below its baseline', [1, 0x7a, 0x63, ...register8.slice(1), 3, 1, 0, 2]],
    ['a vector that ends in zero', [1, 0x7a, 0x49, 0, 1, 2, 1, 0]],
    ['one dot on two entries', [...entry, 1, 0x7b, 0x09, 0, 1, 0]],
  ];
  test.each(invalid)('%s is refused by validate', (_name, entries) => {
    const mark = [0, 0x22, ...register8.slice(1), 0];
    validate(Uint8Array.from([0x10, 1, ...actor, ...mark]));
    validate(Uint8Array.from([0x10, 1, ...actor, 1, 0x7a, ...register8, 1, 0x31]));
    validate(Uint8Array.from([0x10, 1, ...actor, 1, 0x7a, 0x63, ...register8.slice(1), 3, 3, 0, 2]));
    expect(() => validate(Uint8Array.from([0x10, 1, ...actor, ...entries]))).toThrow('malformed');
  });
});

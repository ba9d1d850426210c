/** Compaction, inspection and differences. */
import { describe, expect, test } from 'vitest';
import { VersionVector } from '../causal/version-vector.ts';
import type { JsonValue } from '../codec/value.ts';
import { boundedCounter, counter, map, type Resolver, register, type Sibling, set } from '../types/field.ts';
import { compact } from './compact.ts';
import { decode, encode } from './decoded-record.ts';
import { diff } from './diff.ts';
import type { Editor } from './operations.ts';
import { inspect } from './inspect.ts';
import { merge } from './merge.ts';
import { type Schema, schema } from './schema.ts';
import { contextOf, isDead, version } from './summary.ts';
import { validate } from './validate.ts';

const fields = {
  title: register(),
  likes: counter(),
  stock: boundedCounter(),
  banned: set({ bias: 'remove' }),
  more: map(register()),
};
const nothing: Uint8Array = new Uint8Array(0);

function editor(type: Schema) {
  let now = 1_700_000_000_000;
  return (state: Uint8Array, actor: string, change: (e: Editor) => void) => {
    now += 10;
    return type.edit(state, { actor, now }, change).state;
  };
}

function horizonOf(state: Uint8Array): VersionVector {
  const context = contextOf(state);
  return VersionVector.from([...context.actors()].map((actor) => [actor, context.last(actor)] as const));
}

describe.each(['add-wins', 'last-writer-wins'] as const)('compaction (%s)', (deletes) => {
  const type: Schema = schema(fields, { deletes });
  const edit = editor(type);
  const lived = () => {
    let state = edit(nothing, 'eu', (e) => {
      e.put({ title: 'a', banned: ['x', 'y'] });
      e.increment('likes', 3);
      e.refill('stock', 5);
    });
    state = edit(state, 'us', (e) => {
      e.clear('likes');
      e.clear('stock');
      e.remove('banned', ['x']);
    });
    state = edit(state, 'eu', (e) => e.delete());
    return edit(state, 'us', (e) => {
      e.set('title', 'again');
      e.add('banned', ['z']);
    });
  };

  test('drops what is left of the past and shows the same', () => {
    const state = lived();
    const small = compact(state, horizonOf(state)).state;
    validate(small);
    expect(small.length).toBeLessThan(state.length);
    expect(type.read(small)).toEqual(type.read(state));
    expect(version(small)).toBe(version(state));
    expect(compact(small, horizonOf(small)).state).toBe(small);
  });

  test('leaves a deleted record deleted that holds increments and rights which the delete has not seen', () => {
    const start = edit(nothing, 'eu', (e) => e.put({ title: 'a' }));
    const spent = edit(start, 'us', (e) => {
      e.increment('likes', 2);
      e.refill('stock', 3);
    });
    const state = merge(
      edit(start, 'eu', (e) => e.delete()),
      spent,
    ).state;
    const small = compact(state, horizonOf(state)).state;
    expect(type.read(small)).toEqual(type.read(state));
    expect(version(small)).toBe(version(state));
    const again = edit(small, 'eu', (e) => e.set('title', 'b'));
    expect(type.read(again).value).toMatchObject({ title: 'b', likes: 2, stock: 3 });
  });

  test('waits for exactly what the state has seen', () => {
    const state = lived();
    const less = VersionVector.from([['eu', 1]]);
    expect(compact(state, less).state).toBe(state);
    expect(compact(state, horizonOf(state).join(VersionVector.from([['ap', 1]]))).state).toBe(state);
  });

  test('forgets retired actors that hold nothing', () => {
    const state = lived();
    const small = compact(state, horizonOf(state), new Set(['eu', 'us'])).state;
    expect([...contextOf(small).actors()]).toEqual(['us']);
    expect(type.read(small)).toEqual(type.read(state));
  });

  test('a later write by anyone merges as before', () => {
    const state = lived();
    const small = compact(state, horizonOf(state)).state;
    const next = edit(state, 'eu', (e) => e.increment('likes', 4));
    expect(type.read(merge(small, next).state)).toEqual(type.read(next));
  });
});

test('inspection says who won and why', () => {
  const edit = editor(schema(fields));
  const eu = edit(nothing, 'eu', (e) => e.set('title', 'early'));
  const us = edit(nothing, 'us', (e) => e.set('title', 'late'));
  const both = merge(eu, us).state;
  const { exists, why, context, fields: found } = inspect(both);
  expect(exists).toBe(true);
  expect(why).toBe('its mark is live');
  expect(context).toEqual([
    { actor: 'eu', max: 3, runs: [], last: 3 },
    { actor: 'us', max: 3, runs: [], last: 3 },
  ]);
  expect(found.find((field) => field.path === 'title')).toEqual({
    path: 'title',
    type: 'register',
    entries: [
      {
        actor: 'us',
        counter: 1,
        stamp: { ms: 1_700_000_000_020, logical: 0 },
        value: 'late',
        shown: true,
        why: 'it is later by 10 ms',
      },
      {
        actor: 'eu',
        counter: 1,
        stamp: { ms: 1_700_000_000_010, logical: 0 },
        value: 'early',
        shown: false,
        why: 'concurrent with what us wrote at 2023-11-14T22:13:20.020Z, which is later by 10 ms',
      },
    ],
  });
  expect(JSON.parse(JSON.stringify(inspect(both)))).toEqual(inspect(both));
});

test('inspection explains a deleted record and what a delete hides', () => {
  const type = schema(fields, { deletes: 'last-writer-wins' });
  const edit = editor(type);
  const base = edit(nothing, 'eu', (e) => e.set('title', 'a'));
  const updated = edit(base, 'us', (e) => e.set('title', 'hidden'));
  const state = merge(
    updated,
    edit(base, 'eu', (e) => e.delete()),
  ).state;
  expect(isDead(state)).toBe(true);
  const { why, fields: found } = inspect(state);
  expect(why).toMatch(/^nothing was written after the delete at 2023-/);
  expect(found.find((field) => field.path === 'title')?.entries[0]).toMatchObject({
    value: 'hidden',
    shown: false,
  });
  expect(inspect(nothing)).toMatchObject({ exists: false, fields: [] });
});

test('inspection tells what it can of a value that only newer code can read', () => {
  const edit = editor(schema(fields));
  const older = edit(nothing, 'eu', (e) => {
    e.set('title', 1);
    e.increment('likes', 2);
  });
  const written = decode(older);
  const entries = written.entries.map((entry) =>
    entry.path === 'title' ? { ...entry, payload: entry.payload.slice(0, 6) + '\u00bf' } : entry,
  );
  const { format, fields: found } = inspect(encode({ ...written, minor: 1, entries }));
  expect(format).toBe('1.1');
  expect(found.find(({ path }) => path === 'likes')).toEqual(
    inspect(older).fields.find(({ path }) => path === 'likes'),
  );
  const [unknown] = found.find(({ path }) => path === 'title')?.entries ?? [];
  expect(unknown).toMatchObject({ actor: 'eu', value: null, shown: true });
  expect(unknown?.why).toBe('the only value; only a newer version can read the value');
});

test('differences name the fields that show something else', () => {
  const type = schema(fields);
  const edit = editor(type);
  const before = edit(nothing, 'eu', (e) => e.put({ title: { a: 1 }, more: { x: 1, y: 2 } }));
  const after = edit(before, 'eu', (e) => {
    e.put({ title: { a: 1 }, more: { y: 3, z: null }, banned: ['b'] });
    e.increment('likes', 1);
  });
  expect(diff(type, before, after)).toEqual([
    { path: 'likes', type: 'counter', before: 0, after: 1 },
    { path: 'banned', type: 'set', before: [], after: ['b'] },
    { path: 'more.x', type: 'register', before: 1, after: undefined },
    { path: 'more.y', type: 'register', before: 2, after: 3 },
    { path: 'more.z', type: 'register', before: undefined, after: null },
  ]);
  expect(diff(type, before, before)).toEqual([]);
  expect(diff(type, nothing, before)).toHaveLength(6);
});

test('a text that says -0, 0 and -0 differ, within values too', () => {
  const type = schema(fields);
  const edit = editor(type);
  const states = [-0, 0, '-0'].map((title) => edit(nothing, 'eu', (e) => e.put({ title: [title] })));
  for (const [index, before] of states.entries())
    for (const [other, after] of states.entries())
      expect(diff(type, before, after)).toHaveLength(index === other ? 0 : 1);
});

describe('a reading with a resolver', () => {
  const conflicting = (resolve: Resolver) => {
    const type = schema({ price: register({ resolve }), more: map(register({ resolve })) });
    const edit = editor(type);
    const write = (actor: string, value: JsonValue) =>
      edit(nothing, actor, (e) => e.put({ price: value, more: { x: value } }));
    return { type, state: merge(write('eu', 9), write('us', 4)).state };
  };
  const reasonsOf = (path: string, { type, state }: ReturnType<typeof conflicting>) =>
    inspect(state, type)
      .fields.filter((field) => field.path === path)
      .flatMap(({ entries }) => entries.map(({ actor, shown, why }) => [actor, shown, why]));

  test.each(['price', 'more.x'])('%s is explained by what the resolver chose', (path) => {
    const largest = conflicting((siblings) => Math.max(...siblings.map(({ value }) => Number(value))));
    expect(reasonsOf(path, largest)).toEqual([
      ['us', false, 'the resolver chose what eu wrote at 2023-11-14T22:13:20.010Z'],
      ['eu', true, 'the resolver chose this value'],
    ]);
    const untold = inspect(largest.state).fields.find((field) => field.path === path);
    expect(untold?.entries.map(({ actor, shown }) => [actor, shown])).toEqual([
      ['us', true],
      ['eu', false],
    ]);
  });

  test('a value of its own is told', () => {
    const sum = conflicting((siblings) => ({ sum: siblings.length, of: siblings.map(({ value }) => value) }));
    const why = 'the resolver shows a value of its own: {"of":[4,9],"sum":2}';
    expect(reasonsOf('price', sum)).toEqual([
      ['us', false, why],
      ['eu', false, why],
    ]);
  });

  test('a resolver is asked only about conflicts, and with fields of another type not at all', () => {
    const refuse: Resolver = () => expect.fail('the resolver was asked');
    const { type, state } = conflicting(refuse);
    const alone = type.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.set('price', 1)).state;
    expect(inspect(alone, type).fields[0]?.entries[0]?.why).toBe('the only value');
    expect(inspect(state, schema({ price: counter() }))).toEqual(inspect(state));
  });

  test('what a resolver does to its siblings shows nowhere', () => {
    const rude = (siblings: readonly Sibling[]) => {
      for (const sibling of siblings) Object.assign(sibling, { value: 'changed', actor: 'changed' });
      Object.assign(siblings, { length: 0 });
      return 4;
    };
    const { type, state } = conflicting(rude);
    const { value, siblings, conflicts } = type.read(state);
    expect([value?.price, conflicts]).toEqual([4, ['price', 'more.x']]);
    expect(siblings['price']?.map((each) => [each.value, each.actor, each.shown])).toEqual([
      [4, 'us', true],
      [9, 'eu', false],
    ]);
    expect(inspect(state, type).fields[0]?.entries.map(({ shown }) => shown)).toEqual([true, false]);
  });

  test('what a resolver keeps is not what was read', () => {
    const own = { amount: 1 };
    const { type, state } = conflicting(() => own);
    const before = type.read(state).value?.price;
    own.amount = 2;
    expect([before, type.read(state).value?.price]).toEqual([{ amount: 1 }, { amount: 2 }]);
  });
});

/** What each type promises beyond the laws: sets, maps, bounded counters and put. */
import { describe, expect, test } from 'vitest';
import { VersionVector } from '../causal/version-vector.ts';
import { ConflictError } from '../errors.ts';
import { compact } from '../record/compact.ts';
import type { Editor } from '../record/operations.ts';
import { merge } from '../record/merge.ts';
import { type Schema, schema } from '../record/schema.ts';
import { contextOf, isDead, liveHash, version } from '../record/summary.ts';
import { validate } from '../record/validate.ts';
import { boundedCounter, counter, map, register, set } from './field.ts';

const fields = {
  title: register(),
  tags: set(),
  banned: set({ bias: 'remove' }),
  stock: boundedCounter({ min: 10 }),
  likes: counter(),
  address: map({ city: register(), visits: counter(), inner: map({ deep: map({ deeper: set() }) }) }),
  open: map(register()),
  tree: map(map(map(map(counter())))),
};
const nothing: Uint8Array = new Uint8Array(0);
const untouched = { tags: [], banned: [], stock: 10, likes: 0 };
let now = 1_700_000_000_000;

class Copy {
  state: Uint8Array = nothing;
  readonly actor: string;
  readonly type: Schema;

  constructor(actor: string, type: Schema = schema(fields)) {
    this.actor = actor;
    this.type = type;
  }

  edit(change: (e: Editor) => void): Uint8Array {
    now += 1;
    const { state, delta } = this.type.edit(this.state, { actor: this.actor, now }, change);
    this.state = state;
    validate(state);
    validate(delta);
    return delta;
  }

  get value() {
    return this.type.read(this.state).value;
  }
}

function pair(type?: Schema): readonly [Copy, Copy] {
  return [new Copy('eu', type), new Copy('us', type)];
}

function exchange(...copies: readonly Copy[]): void {
  const all = copies.reduce<Uint8Array>((state, copy) => merge(state, copy.state).state, nothing);
  for (const copy of copies) copy.state = merge(copy.state, all).state;
  for (const copy of copies) expect(copy.state).toEqual(all);
}

function errorOf(run: () => unknown): ConflictError {
  try {
    run();
  } catch (reason) {
    if (reason instanceof ConflictError) return reason;
    throw reason;
  }
  return expect.fail('nothing was thrown');
}

describe('sets', () => {
  test('an addition survives the removal that has not seen it', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.add('tags', ['a', 'b']));
    exchange(eu, us);
    eu.edit((e) => e.remove('tags', ['a', 'b']));
    us.edit((e) => e.add('tags', ['a']));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ tags: ['a'] });
  });

  test('biased to removal, the removal beats the addition that has not seen it, until one has', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.remove('banned', ['a']));
    us.edit((e) => e.add('banned', ['a', 'b']));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ banned: ['b'] });
    us.edit((e) => e.add('banned', ['a']));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ banned: ['a', 'b'] });
  });

  test('a removal that a deletion hides beats nothing', () => {
    const type = schema({ banned: set({ bias: 'remove' }) }, { deletes: 'last-writer-wins' });
    const at = (state: Uint8Array, actor: string, ms: number, change: (e: Editor) => void) =>
      type.edit(state, { actor, now: ms }, change).state;
    const base = at(nothing, 'eu', 1, (e) => e.add('banned', ['x']));
    const removed = at(base, 'us', 5, (e) => e.remove('banned', ['y']));
    const deleted = at(base, 'eu', 10, (e) => e.delete());
    const added = at(base, 'ap', 20, (e) => e.add('banned', ['y']));
    const all = merge(merge(removed, deleted).state, added).state;
    expect(type.read(all).value).toEqual({ banned: ['y'] });
    const horizon = VersionVector.from([...contextOf(all).actors()].map((a) => [a, contextOf(all).last(a)]));
    expect(type.read(compact(all, horizon).state)).toEqual(type.read(all));
  });

  test('elements stand in canonical order, each once; -0 is 0', () => {
    const [eu] = pair();
    eu.edit((e) => e.add('tags', ['b', 'é', 10, 9, true, -0, 0, false, 'b', 1.5, '10', -3]));
    expect(eu.value).toMatchObject({ tags: [false, true, -3, 0, 1.5, 9, 10, '10', 'b', 'é'] });
  });

  test.each([[null], [undefined], [{}], [[1]], [Number.NaN], [1n], ['\ud800']])(
    '%o is no element',
    (element) => {
      const [eu] = pair();
      expect(errorOf(() => eu.edit((e) => e.add('tags', [element]))).code).toBe('invalid-value');
    },
  );

  test('many writes of one element do not make it longer', () => {
    const [eu, us] = pair();
    const sizes = Array.from({ length: 50 }, () => {
      eu.edit((e) => e.add('tags', ['a']));
      us.edit((e) => e.add('tags', ['a']));
      exchange(eu, us);
      return eu.state.length;
    });
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(8);
  });
});

describe('maps', () => {
  test('both create the same nested map: one map with both contents', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.set('address.city', 'Rome'));
    us.edit((e) => {
      e.increment('address.visits', 2);
      e.add('address.inner.deep.deeper', ['x']);
    });
    exchange(eu, us);
    expect(eu.value).toEqual({
      ...untouched,
      address: { city: 'Rome', visits: 2, inner: { deep: { deeper: ['x'] } } },
    });
  });

  test('a clear beside a write: only what it has not seen lives', () => {
    const [eu, us] = pair();
    eu.edit((e) => {
      e.set('address.city', 'Rome');
      e.increment('address.visits', 2);
      e.add('address.inner.deep.deeper', ['x']);
    });
    exchange(eu, us);
    eu.edit((e) => e.clear('address'));
    us.edit((e) => {
      e.increment('address.visits', 3);
      e.add('address.inner.deep.deeper', ['y']);
    });
    expect(eu.value).toEqual(untouched);
    exchange(eu, us);
    expect(eu.value).toEqual({ ...untouched, address: { visits: 3, inner: { deep: { deeper: ['y'] } } } });
  });

  test('four open maps within each other, with any names', () => {
    const [eu, us] = pair();
    const path = ['tree', 'a.b', '', '__proto__', '\\'];
    eu.edit((e) => e.increment(path, 1));
    us.edit((e) => e.increment('tree.a\\.b..__proto__.\\\\', 2));
    exchange(eu, us);
    expect(JSON.stringify(eu.value?.['tree'])).toBe(
      JSON.stringify({ 'a.b': { '': JSON.parse('{"__proto__":{"\\\\":3}}') } }),
    );
    eu.edit((e) => e.clear('tree'));
    expect(eu.value).toEqual(untouched);
  });

  test('members that the schema does not have are refused', () => {
    const [eu] = pair();
    for (const path of ['address.nope', 'address', 'title.x', 'open.a.b', 'constructor']) {
      const { code } = errorOf(() => eu.edit((e) => e.set(path, 1)));
      expect(code).toBe(path === 'address' ? 'wrong-operation' : 'unknown-field');
    }
    expect(errorOf(() => eu.edit((e) => e.set(['open', '\ud800'], 1))).rule).toBe('well-formed-unicode');
    expect(errorOf(() => eu.edit((e) => e.set(['open', 'x'.repeat(513)], 1))).rule).toBe('name-bytes');
  });
});

describe('bounded counters', () => {
  test('an actor spends only rights of its own', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.refill('stock', 5));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ stock: 15 });
    expect(errorOf(() => us.edit((e) => e.spend('stock', 1)))).toMatchObject({
      code: 'insufficient-rights',
      field: 'stock',
      have: 0,
      need: 1,
    });
    eu.edit((e) => e.moveRights('stock', { to: 'us', amount: 3 }));
    expect(errorOf(() => eu.edit((e) => e.spend('stock', 3)))).toMatchObject({ have: 2, need: 3 });
    exchange(eu, us);
    us.edit((e) => e.spend('stock', 3));
    eu.edit((e) => e.spend('stock', 2));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ stock: 10 });
  });

  test('a spending of rights that were moved changes the version and the hash, and compaction leaves both', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.refill('stock', 5));
    eu.edit((e) => e.moveRights('stock', { to: 'us', amount: 4 }));
    exchange(eu, us);
    us.edit((e) => e.spend('stock', 3));
    expect(us.value).toMatchObject({ stock: 12 });
    const hashesOf = ({ state }: { state: Uint8Array }) => [version(state), liveHash(state, 'k')];
    expect(version(us.state)).not.toBe(version(eu.state));
    expect(liveHash(us.state, 'k')).not.toEqual(liveHash(eu.state, 'k'));
    exchange(eu, us);
    expect(hashesOf(us)).toEqual(hashesOf(eu));
    const seen = contextOf(us.state);
    const horizon = VersionVector.from([...seen.actors()].map((actor) => [actor, seen.last(actor)]));
    expect(hashesOf(compact(us.state, horizon))).toEqual(hashesOf(us));
  });

  test('spending that arrives before its cover is not covered twice', () => {
    const [eu, us] = pair();
    const granted = eu.edit((e) => e.refill('stock', 5));
    const moved = eu.edit((e) => e.moveRights('stock', { to: 'us', amount: 5 }));
    us.state = merge(merge(nothing, granted).state, moved).state;
    const spent = us.edit((e) => e.spend('stock', 4));
    const third = new Copy('ap');
    third.edit((e) => e.set('title', 'x'));
    third.state = merge(third.state, spent).state;
    expect(third.value).toMatchObject({ stock: 10 });
    third.edit((e) => e.clear('stock'));
    exchange(third, us, eu);
    expect(third.value).toMatchObject({ stock: 11 });
  });

  test('a clear destroys the rights it has seen; spending that it has not seen came out of them', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.refill('stock', 5));
    exchange(eu, us);
    us.edit((e) => e.clear('stock'));
    eu.edit((e) => e.spend('stock', 3));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ stock: 10 });
    eu.edit((e) => e.refill('stock', 4));
    exchange(eu, us);
    expect(us.value).toMatchObject({ stock: 14 });
    eu.edit((e) => e.spend('stock', 4));
    expect(eu.value).toMatchObject({ stock: 10 });
    expect(errorOf(() => eu.edit((e) => e.spend('stock', 1))).have).toBe(0);
  });

  test('a forgiven debt takes nothing from the rights of others, also once the rest was collected', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.refill('stock', 5));
    us.edit((e) => e.refill('stock', 2));
    eu.edit((e) => e.moveRights('stock', { to: 'ap', amount: 4 }));
    const ap = new Copy('ap');
    exchange(eu, us, ap);
    const third = new Copy('sa');
    third.state = eu.state;
    third.edit((e) => e.clear('stock'));
    ap.edit((e) => e.spend('stock', 3));
    us.edit((e) => e.refill('stock', 1));
    exchange(third, ap, us, eu);
    expect(ap.value).toMatchObject({ stock: 11 });
    const context = contextOf(ap.state);
    const horizon = VersionVector.from([...context.actors()].map((actor) => [actor, context.last(actor)]));
    expect(ap.type.read(compact(ap.state, horizon).state).value).toEqual(ap.value);
    us.edit((e) => e.spend('stock', 1));
    expect(us.value).toMatchObject({ stock: 10 });
  });

  test('a delete beside a spending leaves nothing', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.refill('stock', 5));
    exchange(eu, us);
    us.edit((e) => e.delete());
    eu.edit((e) => e.spend('stock', 3));
    exchange(eu, us);
    expect(isDead(eu.state)).toBe(true);
  });

  test('amounts and receivers are checked', () => {
    const [eu] = pair();
    eu.edit((e) => e.refill('stock', 5));
    for (const amount of [-1, 0.5, Number.NaN]) {
      expect(errorOf(() => eu.edit((e) => e.spend('stock', amount))).code).toBe('invalid-value');
      expect(errorOf(() => eu.edit((e) => e.refill('stock', amount))).code).toBe('invalid-value');
    }
    for (const to of ['', 'eu', 'x'.repeat(65), '\ud800']) {
      expect(errorOf(() => eu.edit((e) => e.moveRights('stock', { to, amount: 1 }))).rule).toBe('actor');
    }
    expect(errorOf(() => eu.edit((e) => e.refill('stock', Number.MAX_SAFE_INTEGER))).code).toBe(
      'counter-out-of-range',
    );
  });
});

describe('put', () => {
  const whole = {
    title: 't',
    tags: ['a', 2],
    banned: ['x'],
    address: { city: 'Rome', inner: { deep: { deeper: ['d'] } } },
    open: { 'a.b': 1, c: null },
  };

  test('makes the record exactly this, and what was read can be put back', () => {
    const [eu] = pair();
    eu.edit((e) => e.put(whole));
    expect(eu.value).toEqual({
      ...untouched,
      ...whole,
      tags: [2, 'a'],
      address: { ...whole.address, visits: 0 },
    });
    expect(eu.edit((e) => e.put(eu.value)).length).toBe(0);
    eu.edit((e) => e.put({ open: { c: null } }));
    expect(eu.value).toEqual({ ...untouched, open: { c: null } });
  });

  test('keeps counters, at any depth, and refuses to set them', () => {
    const [eu] = pair();
    eu.edit((e) => {
      e.increment('likes', 3);
      e.increment('address.visits', 4);
      e.refill('stock', 1);
    });
    eu.edit((e) => e.put({ likes: 3, stock: 11, address: { visits: 4 } }));
    eu.edit((e) => e.put({}));
    expect(eu.value).toEqual({ ...untouched, likes: 3, stock: 11, address: { visits: 4 } });
    for (const value of [{ likes: 4 }, { stock: 10 }, { address: { visits: 0 } }]) {
      expect(errorOf(() => eu.edit((e) => e.put(value))).code).toBe('wrong-operation');
    }
  });

  test.each([
    { nope: 1 },
    { address: 1 },
    { address: { nope: 1 } },
    { tags: 'a' },
    { tags: null },
    { title: undefined },
  ])('refuses %o', (value) => {
    const [eu] = pair();
    expect(['unknown-field', 'invalid-value']).toContain(errorOf(() => eu.edit((e) => e.put(value))).code);
    expect(eu.state).toBe(nothing);
  });
});

describe('views', () => {
  test('a resolver shows what it computes, the siblings stay', () => {
    const largest = schema({
      price: register({ resolve: (siblings) => Math.max(...siblings.map((each) => Number(each.value))) }),
    });
    const [eu, us] = pair(largest);
    eu.edit((e) => e.set('price', 9));
    us.edit((e) => e.set('price', 4));
    exchange(eu, us);
    const read = largest.read(eu.state);
    expect(read).toMatchObject({ value: { price: 9 }, conflicts: ['price'], exposed: [] });
    expect(read.siblings['price']?.map(({ value, shown }) => [value, shown])).toEqual([
      [4, false],
      [9, true],
    ]);
    us.edit((e) => e.put({ price: 9 }));
    expect(largest.read(us.state).conflicts).toEqual(['price']);
  });

  test('what a resolver throws ends a read as it is; a declaration without it reads the same bytes', () => {
    const fault = new RangeError('no rule');
    const resolve = () => {
      throw fault;
    };
    const broken = schema({ price: register({ resolve }), title: register() });
    const [eu, us] = pair(broken);
    eu.edit((e) => e.put({ price: 9, title: 'Lamp' }));
    us.edit((e) => e.set('price', 4));
    exchange(eu, us);
    expect(() => broken.read(eu.state)).toThrow(fault);
    eu.edit((e) => e.set('title', 'Desk'));
    const mended = schema({ ...broken.fields, price: register() });
    expect(mended.read(eu.state)).toMatchObject({
      value: { price: 4, title: 'Desk' },
      conflicts: ['price'],
    });
  });

  test('a loser is restored by an ordinary edit', () => {
    const type = schema({ status: register({ resolve: 'siblings' }) });
    const [eu, us] = pair(type);
    eu.edit((e) => e.set('status', 'loses'));
    us.edit((e) => e.set('status', 'wins'));
    exchange(eu, us);
    const { siblings, exposed } = type.read(eu.state);
    expect(exposed).toEqual(['status']);
    const loser = siblings['status']?.find((each) => !each.shown);
    if (loser === undefined) return expect.fail('a loser');
    eu.edit((e) => e.restore('status', loser));
    exchange(eu, us);
    expect(type.read(us.state)).toMatchObject({ value: { status: 'loses' }, conflicts: [] });
  });

  test('hashes depend on what is live, its dots and the name, not on what else was seen', () => {
    const [eu, us] = pair();
    eu.edit((e) => e.put({ title: 'a' }));
    us.state = eu.state;
    us.edit((e) => e.set('open.x', 1));
    us.edit((e) => e.clear('open.x'));
    expect(us.state).not.toEqual(eu.state);
    expect(version(us.state)).toBe(version(eu.state));
    expect(liveHash(us.state, 'k')).toEqual(liveHash(eu.state, 'k'));
    expect(liveHash(us.state, 'k')).not.toEqual(liveHash(eu.state, 'l'));
    const before = version(eu.state);
    eu.edit((e) => e.set('title', 'a'));
    expect(version(eu.state)).not.toBe(before);
    eu.edit((e) => e.add('tags', ['x']));
    const added = version(eu.state);
    eu.edit((e) => e.add('tags', ['x']));
    expect(version(eu.state)).not.toBe(added);
  });
});

test.each([
  [{}, 'at-least-one-field'],
  [{ a: { type: 'set', bias: 'both' } }, 'option bias'],
  [{ a: { type: 'counter', min: 1 } }, 'option min'],
  [{ a: { type: 'bounded-counter', min: 0.5 } }, 'option min'],
  [{ a: { type: 'map' } }, 'either fields or of'],
  [{ a: { type: 'map', of: { type: 'constructor' } } }, 'type'],
  [{ a: { type: 'map', fields: { '1a': { type: 'counter' } } } }, 'field-name'],
])('the declaration %o is refused', (declaration, rule) => {
  const parsed = JSON.parse(JSON.stringify(declaration));
  expect(errorOf(() => schema(parsed))).toMatchObject({ code: 'invalid-schema', rule });
});

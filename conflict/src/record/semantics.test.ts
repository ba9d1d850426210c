import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { counter, map, register, set } from '../types/field.ts';
import type { Editor } from './operations.ts';
import { inspect } from './inspect.ts';
import { merge } from './merge.ts';
import type { Schema } from './schema.ts';
import { schema } from './schema.ts';
import { highestStamp, isDead, liveHash, version } from './summary.ts';
import { validate } from './validate.ts';

const fields = {
  title: register(),
  status: register({ resolve: 'siblings' }),
  likes: counter(),
  toString: counter(),
};
const AddWins = schema(fields, { deletes: 'add-wins' });
const LastWins = schema(fields, { deletes: 'last-writer-wins' });
const nothing: Uint8Array = new Uint8Array(0);
const maxSafe = Number.MAX_SAFE_INTEGER;

/** A region's copy of one record. */
class Copy {
  state: Uint8Array = nothing;
  delta: Uint8Array = nothing;
  readonly actor: string;
  readonly rules: Schema;

  constructor(actor: string, rules: Schema = AddWins) {
    this.actor = actor;
    this.rules = rules;
  }

  edit(now: number, change: (editor: Editor) => void, floor = 0): boolean {
    const result = this.rules.edit(this.state, { actor: this.actor, floor, now }, change);
    this.state = result.state;
    this.delta = result.delta;
    validate(result.state);
    validate(result.delta);
    return result.changed;
  }
  take(...deltas: readonly Uint8Array[]): readonly string[] {
    const found = deltas.flatMap((delta) => {
      const merged = merge(this.state, delta);
      this.state = merged.state;
      return merged.conflicts;
    });
    validate(this.state);
    return found;
  }
  get view() {
    return this.rules.read(this.state);
  }
  get value() {
    return this.view.value;
  }
}

function pair(rules: Schema = AddWins): [Copy, Copy] {
  return [new Copy('eu-1', rules), new Copy('us-1', rules)];
}

function exchange(left: Copy, right: Copy): void {
  const [ours, theirs] = [left.state, right.state];
  left.take(theirs);
  right.take(ours);
  expect(left.state).toEqual(right.state);
}

function errorOf(run: () => unknown): ConflictError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConflictError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}

describe.each([
  ['add-wins', AddWins],
  ['last-writer-wins', LastWins],
] as const)('in %s collections', (_name, rules) => {
  test('different fields written in two regions are both kept', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'a'));
    us.edit(20, (e) => e.set('status', 'b'));
    exchange(eu, us);
    expect(eu.value).toEqual({ title: 'a', status: 'b', likes: 0, toString: 0 });
    expect(eu.view.conflicts).toEqual([]);
  });

  test('one field written concurrently shows the later stamp and keeps the other until overwritten', () => {
    const [eu, us] = pair(rules);
    eu.edit(20, (e) => e.set('title', 'eu'));
    us.edit(10, (e) => e.set('title', 'us'));
    const again = us.delta;
    expect(eu.take(us.delta)).toEqual(['title']);
    expect(eu.take(again)).toEqual([]);
    us.take(eu.delta);
    expect(us.view).toEqual(eu.view);
    expect(eu.view).toMatchObject({
      value: { title: 'eu' },
      conflicts: ['title'],
      updatedAt: 20,
      siblings: {
        title: [
          { value: 'eu', at: 20, actor: 'eu-1', shown: true },
          { value: 'us', at: 10, actor: 'us-1', shown: false },
        ],
      },
    });
    us.edit(1, (e) => e.set('title', 'both seen'));
    eu.take(us.delta);
    expect(eu.view).toMatchObject({ value: { title: 'both seen' }, conflicts: [], siblings: {} });
  });

  test('equal stamps are decided by the actor', () => {
    const [eu, us] = pair(rules);
    eu.edit(5, (e) => e.set('title', 'eu'));
    us.edit(5, (e) => e.set('title', 'us'));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ title: 'us' });
  });

  test('a causally later write wins over a clock ten minutes ahead', () => {
    const [eu, us] = pair(rules);
    eu.edit(600_000, (e) => e.set('title', 'ahead'));
    us.take(eu.delta);
    us.edit(5, (e) => e.set('title', 'later'));
    eu.take(us.delta);
    expect(eu.value).toMatchObject({ title: 'later' });
    expect(eu.view.conflicts).toEqual([]);
    expect(highestStamp(us.delta)).toBe(600_000);
    expect(validate(us.delta)).toBe(600_000);
    expect(validate(new Uint8Array(0))).toBeNull();
  });

  test('delete in both, set again in one: the new value everywhere', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'old'));
    exchange(eu, us);
    eu.edit(20, (e) => e.delete());
    us.edit(30, (e) => e.delete());
    us.edit(31, (e) => e.set('title', 'new'));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ title: 'new' });
  });

  test('both create the record', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.put({ title: 'a' }));
    us.edit(11, (e) => e.put({ status: 'b' }));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ title: 'a', status: 'b' });
  });

  test('concurrent increments add up', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.increment('likes', 1));
    us.edit(10, (e) => e.increment('likes', 10));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ likes: 11, toString: 0 });
    expect(eu.view.conflicts).toEqual([]);
  });

  test('a reset takes away what it saw; a concurrent increment survives exactly', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.increment('likes', 7));
    exchange(eu, us);
    us.edit(20, (e) => e.clear('likes'));
    eu.edit(20, (e) => e.increment('likes', 5));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ likes: 5 });
    eu.edit(30, (e) => e.clear('likes'));
    eu.edit(31, (e) => e.increment('likes', -2));
    us.take(eu.state);
    expect(us.value).toMatchObject({ likes: -2 });
  });

  test('an increment after a reset starts a new slot, and the state does not grow', () => {
    const [eu] = pair(rules);
    const sizes = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      eu.edit(100 + round, (e) => e.increment('likes', 3));
      sizes.add(eu.state.length);
      expect(eu.value).toMatchObject({ likes: 3 });
      eu.edit(100 + round, (e) => e.clear('likes'));
    }
    // Only the counters of the dots become longer numbers.
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(3);
  });

  test('a deleted record is dead, hashes to zeros, and deleting it again changes nothing', () => {
    const [eu] = pair(rules);
    expect(eu.edit(1, (e) => e.delete())).toBe(false);
    eu.edit(10, (e) => e.put({ title: 'a' }));
    expect(isDead(eu.state)).toBe(false);
    expect(version(eu.state)).not.toBe('0'.repeat(32));
    expect(eu.edit(20, (e) => e.delete())).toBe(true);
    expect(isDead(eu.state)).toBe(true);
    expect(liveHash(eu.state)).toEqual(new Uint8Array(16));
    expect(eu.view).toMatchObject({ exists: false, value: null, updatedAt: null });
    const { state } = eu;
    expect(eu.edit(30, (e) => e.delete())).toBe(false);
    expect(eu.state).toBe(state);
    expect(eu.delta.length).toBe(0);
  });

  test('a record created again after it was collected reuses no dot', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'first'));
    eu.edit(11, (e) => e.delete());
    us.take(eu.state);
    const floor = inspect(eu.state).context[0]?.last ?? 0;
    eu.state = nothing;
    eu.edit(12, (e) => e.set('title', 'second'), floor);
    us.take(eu.delta);
    expect(us.value).toMatchObject({ title: 'second' });
    expect(inspect(eu.state).context).toMatchObject([{ actor: 'eu-1', max: floor + 3, runs: [] }]);
    eu.edit(13, (e) => e.set('title', 'third'), 1000);
    expect(inspect(eu.state).context[0]).toMatchObject({ actor: 'eu-1', runs: [] });
    expect(inspect(eu.state).context[0]?.last).toBeGreaterThan(1000);
    us.take(eu.delta);
    expect(us.state).toEqual(eu.state);
  });

  test('no dot is used again, though others still tell of collected ones', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'first'));
    eu.edit(11, (e) => e.set('status', 's'));
    us.take(eu.state);
    eu.edit(12, (e) => e.delete());
    us.take(eu.state);
    const floor = inspect(eu.state).context[0]?.last ?? 0;
    eu.state = nothing;
    us.edit(20, (e) => e.set('title', 'again'));
    eu.take(us.delta);
    eu.edit(21, (e) => e.set('title', 'EU'), floor);
    us.take(eu.delta);
    expect(us.value).toMatchObject({ title: 'EU' });
    eu.take(us.state);
    us.take(eu.state);
    expect(eu.value).toMatchObject({ title: 'EU' });
    expect(us.state).toEqual(eu.state);
  });

  test('a record created again reuses no dot, also where another has handed back earlier ones', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'first'));
    us.take(eu.state);
    us.edit(11, (e) => e.set('title', 'second'));
    const floor = inspect(eu.state).context[0]?.last ?? 0;
    eu.state = nothing;
    eu.take(us.delta);
    expect(inspect(eu.state).context[0]?.last).toBeLessThan(floor);
    eu.edit(12, (e) => e.set('status', 'third'), floor);
    us.take(eu.delta);
    expect(us.value).toMatchObject({ title: 'second', status: 'third' });
  });

  test('a delete takes what the same edit has written, also into a dead record', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'secret'));
    us.take(eu.delta);
    eu.edit(11, (e) => {
      e.delete();
      e.set('title', 'draft');
      e.increment('likes', 5);
      e.delete();
    });
    us.take(eu.delta);
    eu.edit(12, (e) => {
      e.set('title', 'again');
      e.delete();
    });
    us.take(eu.delta);
    expect([eu.view.exists, us.view.exists]).toEqual([false, false]);
    us.edit(13, (e) => e.set('status', 'new'));
    eu.take(us.delta);
    expect(us.value).toEqual({ status: 'new', likes: 0, toString: 0 });
    expect(eu.value).toEqual(us.value);
  });

  test('a record that an edit empties goes on existing', () => {
    const [eu] = pair(rules);
    eu.edit(10, (e) => e.put({}));
    expect(eu.view).toMatchObject({ exists: true, value: { likes: 0 }, updatedAt: 10 });
    eu.edit(11, (e) => e.set('title', null));
    expect(eu.value).toEqual({ title: null, likes: 0, toString: 0 });
    eu.edit(12, (e) => e.clear('title'));
    expect(eu.value).toEqual({ likes: 0, toString: 0 });
  });

  test('delete and write in one edit: only the written remains', () => {
    const [eu, us] = pair(rules);
    eu.edit(10, (e) => e.put({ title: 'a', status: 's' }));
    eu.edit(11, (e) => e.increment('likes', 2));
    eu.edit(12, (e) => {
      e.set('status', 'dropped');
      e.delete();
      e.set('title', 'b');
      e.increment('likes', 1);
    });
    expect(eu.value).toEqual({ title: 'b', likes: 1, toString: 0 });
    us.take(eu.state);
    expect(us.value).toEqual(eu.value);
  });

  test('put writes only differences', () => {
    const [eu] = pair(rules);
    eu.edit(10, (e) => e.put({ title: { b: 1, a: 2 }, status: 1 }));
    eu.edit(11, (e) => e.increment('likes', 4));
    expect(eu.edit(12, (e) => e.put({ title: { a: 2, b: 1 }, status: 1, likes: 4 }))).toBe(false);
    expect(eu.edit(13, (e) => e.put({ title: { a: 2, b: 1 } }))).toBe(true);
    expect(inspect(eu.delta).fields.some((field) => field.path === 'title')).toBe(false);
    expect(eu.value).toEqual({ title: { a: 2, b: 1 }, likes: 4, toString: 0 });
    expect(errorOf(() => eu.edit(14, (e) => e.put({ likes: 5 })))).toMatchObject({
      code: 'wrong-operation',
      field: 'likes',
      limit: 4,
      value: 5,
    });
  });

  test('set always writes, also an equal value', () => {
    const [eu] = pair(rules);
    eu.edit(10, (e) => e.set('title', 'a'));
    expect(eu.edit(11, (e) => e.set('title', 'a'))).toBe(true);
    expect(eu.view.updatedAt).toBe(11);
  });

  test('an edit that asks for nothing creates the record and changes no other', () => {
    const [eu] = pair(rules);
    expect(eu.edit(1, () => undefined)).toBe(true);
    expect(eu.view.exists).toBe(true);
    const { state } = eu;
    expect(eu.edit(2, () => undefined)).toBe(false);
    expect(eu.state).toBe(state);
  });
});

describe('a delete beside a concurrent update', () => {
  test('add-wins: the record lives with what was concurrently written, and nothing else', () => {
    const [eu, us] = pair(AddWins);
    eu.edit(10, (e) => e.put({ title: 'old', status: 'old' }));
    eu.edit(11, (e) => e.increment('likes', 3));
    exchange(eu, us);
    eu.edit(50, (e) => e.delete());
    us.edit(20, (e) => {
      e.set('title', 'kept');
      e.increment('likes', 5);
    });
    exchange(eu, us);
    expect(eu.value).toEqual({ title: 'kept', likes: 5, toString: 0 });
    us.edit(60, (e) => e.clear('title'));
    us.edit(61, (e) => e.clear('likes'));
    expect(us.view).toMatchObject({ exists: true, value: { likes: 0 } });
  });

  test('add-wins: an increment alone keeps the record', () => {
    const [eu, us] = pair(AddWins);
    eu.edit(11, (e) => e.increment('likes', 3));
    exchange(eu, us);
    us.edit(50, (e) => e.delete());
    eu.edit(20, (e) => e.increment('likes', 1));
    exchange(eu, us);
    expect(eu.value).toMatchObject({ likes: 1 });
  });

  test('last-writer-wins: the later one, for each field', () => {
    const [eu, us] = pair(LastWins);
    eu.edit(10, (e) => e.put({ title: 'old', status: 'old' }));
    exchange(eu, us);
    us.edit(20, (e) => e.set('title', 'earlier'));
    eu.edit(30, (e) => e.delete());
    us.edit(40, (e) => e.set('status', 'later'));
    exchange(eu, us);
    expect(eu.value).toEqual({ status: 'later', likes: 0, toString: 0 });
    expect(eu.view.conflicts).toEqual([]);
  });

  test('last-writer-wins: an earlier update does not bring the record back', () => {
    const [eu, us] = pair(LastWins);
    eu.edit(10, (e) => e.put({ title: 'old' }));
    exchange(eu, us);
    us.edit(20, (e) => {
      e.set('title', 'earlier');
      e.increment('likes', 5);
    });
    eu.edit(30, (e) => e.delete());
    exchange(eu, us);
    expect(eu.view.exists).toBe(false);
    expect(liveHash(eu.state)).toEqual(new Uint8Array(16));
    eu.edit(40, (e) => e.set('status', 'again'));
    expect(eu.value).toEqual({ status: 'again', likes: 5, toString: 0 });
  });

  test('last-writer-wins: a delete seen by a new life still hides earlier writes that arrive late', () => {
    const [eu, us] = pair(LastWins);
    eu.edit(10, (e) => e.put({ title: 'old' }));
    exchange(eu, us);
    us.edit(20, (e) => e.set('status', 'late'));
    eu.edit(30, (e) => e.delete());
    eu.edit(31, (e) => e.set('title', 'new'));
    expect(eu.take(us.delta)).toEqual([]);
    expect(eu.value).toEqual({ title: 'new', likes: 0, toString: 0 });
  });

  test('hidden values are no conflicts', () => {
    const [eu, us] = pair(LastWins);
    eu.edit(10, (e) => e.put({ title: 'old' }));
    exchange(eu, us);
    us.edit(20, (e) => e.set('title', 'hidden'));
    eu.edit(30, (e) => e.delete());
    eu.edit(31, (e) => e.set('title', 'new'));
    expect(eu.take(us.delta)).toEqual([]);
    expect(eu.view).toMatchObject({ value: { title: 'new' }, conflicts: [] });
  });
});

const edit = (change: (editor: Editor) => void) => errorOf(() => new Copy('a').edit(1, change));

describe('refusals', () => {
  test.each(['nope', '__proto__', 'constructor', 'title.x', ''])('field %j is unknown', (path) => {
    expect(edit((e) => e.set(path, 1))).toMatchObject({ code: 'unknown-field', field: path });
    expect(edit((e) => e.put(JSON.parse(`{${JSON.stringify(path)}:1}`)))).toMatchObject({
      code: 'unknown-field',
    });
  });

  const wrong: readonly (readonly [string, (editor: Editor) => void])[] = [
    ['set of a counter', (e) => e.set('likes', 1)],
    ['increment of a register', (e) => e.increment('title', 1)],
    ['add', (e) => e.add('title', [])],
    ['remove', (e) => e.remove('title', [])],
    ['spend', (e) => e.spend('likes', 1)],
    ['refill', (e) => e.refill('likes', 1)],
    ['moveRights', (e) => e.moveRights('likes', { to: 'us', amount: 1 })],
    ['splice', (e) => e.splice('title', [])],
  ];
  test.each(wrong)('%s is the wrong operation', (_name, change) => {
    expect(edit(change).code).toBe('wrong-operation');
  });

  test.each([1.5, Number.NaN, Infinity, '1', null, 1n])('%s is no amount', (amount) => {
    // @ts-expect-error: callers without types
    expect(edit((e) => e.increment('likes', amount)).code).toBe('invalid-value');
  });

  test.each([null, [], 'x', undefined, new Date(0)])('put takes an object, not %j', (value) => {
    expect(edit((e) => e.put(value)).code).toBe('invalid-value');
  });

  test('counters stay in the safe integers, counted over all slots', () => {
    const [eu, us] = pair();
    eu.edit(1, (e) => e.increment('likes', maxSafe - 1));
    exchange(eu, us);
    us.edit(2, (e) => e.increment('likes', 1));
    expect(errorOf(() => us.edit(3, (e) => e.increment('likes', 1)))).toMatchObject({
      code: 'counter-out-of-range',
      field: 'likes',
      limit: maxSafe,
      value: 1,
    });
    expect(edit((e) => e.increment('likes', 2 ** 53)).code).toBe('counter-out-of-range');
    us.edit(4, (e) => e.increment('likes', -maxSafe));
    expect(us.value).toMatchObject({ likes: 0 });
  });

  test('what one actor adds in all stays in range too, until a reset', () => {
    const eu = new Copy('a');
    for (const amount of [maxSafe, -maxSafe]) eu.edit(1, (e) => e.increment('likes', amount));
    expect(errorOf(() => eu.edit(2, (e) => e.increment('likes', 1))).code).toBe('counter-out-of-range');
    eu.edit(3, (e) => e.clear('likes'));
    eu.edit(4, (e) => e.increment('likes', 1));
    expect(eu.value).toMatchObject({ likes: 1 });
  });

  test('sizes: a delta of 256 KiB, a state of 1 MiB', () => {
    const eu = new Copy(
      'a',
      schema(Object.fromEntries('bcdefg'.split('').map((name) => [name, register()])), {
        deletes: 'add-wins',
      }),
    );
    const big = 'x'.repeat(256 * 1024 - 100);
    expect(errorOf(() => eu.edit(1, (e) => e.set('b', 'x'.repeat(256 * 1024)))).code).toBe('too-large');
    expect(errorOf(() => eu.edit(1, (e) => [e.set('b', big), e.set('c', big)])).code).toBe('too-large');
    for (const name of 'bcde') eu.edit(1, (e) => e.set(name, big));
    expect(errorOf(() => eu.edit(1, (e) => e.set('f', big)))).toMatchObject({
      code: 'too-large',
      limit: 1024 * 1024,
    });
    const other = new Copy('b', eu.rules);
    other.edit(1, (e) => e.set('f', big));
    eu.take(other.delta);
    expect(eu.state.length).toBeGreaterThan(1024 * 1024);
    eu.edit(2, (e) => e.clear('b'));
    expect(eu.edit(3, (e) => e.delete())).toBe(true);
  });

  test.each(['add-wins', 'last-writer-wins'] as const)('%s: what only takes away has no limit', (deletes) => {
    const type = schema({ many: map(counter()), tags: set(), note: register() }, { deletes });
    const context = { actor: 'a', now: 1 };
    const words = Array.from({ length: 2000 }, (_, index) => `${index}`.padStart(100, 'x'));
    let state: Uint8Array = nothing;
    for (const half of [words.slice(0, 1000), words.slice(1000)]) {
      state = type.edit(state, context, (e) => half.forEach((each) => e.increment(['many', each], 1))).state;
      state = type.edit(state, context, (e) => e.add('tags', half)).state;
    }
    expect(state.length).toBeGreaterThan(400_000);
    const cleared = type.edit(state, context, (e) => e.clear('many'));
    expect(cleared.delta.length).toBeGreaterThan(type.limits.deltaBytes / 2);
    const full = schema(type.fields, { deletes, limits: { deltaBytes: 1000, stateBytes: state.length } });
    for (const change of [
      (e: Editor<typeof type.fields>) => e.clear('many'),
      (e: Editor<typeof type.fields>) => e.remove('tags', words),
      (e: Editor<typeof type.fields>) => e.delete(),
    ]) {
      const edited = full.edit(state, context, change);
      expect(Buffer.from(merge(state, edited.delta).state).equals(edited.state)).toBe(true);
    }
    const refused = (change: (e: Editor<typeof type.fields>) => void) =>
      errorOf(() => full.edit(state, context, change)).code;
    expect(refused((e) => e.set('note', 'x'.repeat(1000)))).toBe('too-large');
    expect(refused((e) => words.forEach((each) => e.increment(['many', each], 1)))).toBe('too-large');
    expect(refused((e) => [e.clear('many'), e.set('note', 'x')])).toBe('too-large');
  });

  test('errors survive JSON', () => {
    const error = edit((e) => e.set('title', 5n));
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'invalid-value', field: 'title' });
  });

  test.each(['', 'x'.repeat(65), 'é'.repeat(33), '\uD800'])('actor %j', (actor) => {
    expect(errorOf(() => new Copy(actor).edit(1, (e) => e.put({}))).code).toBe('invalid-argument');
  });

  test.each([-1, 1.5, Number.NaN])('floor %s', (floor) => {
    expect(errorOf(() => new Copy('a').edit(1, (e) => e.put({}), floor)).code).toBe('invalid-argument');
  });

  test.each([
    { a: null },
    { a: { type: 'nope' } },
    { 'a-b': { type: 'counter' } },
    { a: { type: 'register', resolve: 'nope' } },
  ])('declaration %j', (declarations) => {
    // @ts-expect-error: declarations come from files
    expect(errorOf(() => schema(declarations, { deletes: 'add-wins' })).code).toBe('invalid-schema');
  });
});

test('declarations are plain JSON', () => {
  expect(JSON.stringify(fields)).toBe(
    '{"title":{"type":"register"},"status":{"type":"register","resolve":"siblings"},"likes":{"type":"counter"},"toString":{"type":"counter"}}',
  );
});

test('a record of ten fields takes at most 300 bytes, however often it is written', () => {
  const names = ['title', 'price', 'status', 'name', 'email', 'bio', 'city', 'zip', 'phone', 'notes'];
  const ten = new Copy(
    'eu-1',
    schema(Object.fromEntries(names.map((name) => [name, register()])), { deletes: 'add-wins' }),
  );
  for (let round = 0; round < 200; round += 1) {
    for (const name of names) ten.edit(1_700_000_000_000 + round, (e) => e.set(name, `value${round % 10}`));
  }
  expect(ten.state.length).toBeLessThanOrEqual(300);
});

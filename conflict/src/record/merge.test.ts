/** What the walk over bytes has to get right beyond the laws: references, indices, foreign entries, hostile bytes. */
import { extendedKey } from '../fuzz/extended-key.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ranges, seeAll } from '../causal/seen.ts';
import { formatMinor, tagExtended } from '../codec/format.ts';
import { vectorPayload } from '../codec/vector.ts';
import { ConflictError } from '../errors.ts';
import { counter, map, register, set } from '../types/field.ts';
import { decode, encode } from './decoded-record.ts';
import { type Entry, stampText } from './entry.ts';
import { merge } from './merge.ts';
import { schema } from './schema.ts';
import { isDead, version } from './summary.ts';
import { validate } from './validate.ts';

const nothing: Uint8Array = new Uint8Array(0);
const type = schema({ title: register(), likes: counter(), tags: set(), more: map(register()) });

function edited(state: Uint8Array, actor: string, change: Parameters<typeof type.edit>[2]) {
  return type.edit(state, { actor, now: 1_700_000_000_000 }, change);
}

function foreign(traits: number, actor: string, counterOfDot: number, payload: string): Entry {
  const named = { path: 'future', tag: tagExtended * 256 + 8 + traits, sub: (traits & 1) === 0 ? '' : 'sub' };
  return { key: extendedKey(named), ...named, actor, counter: counterOfDot, payload };
}

/** `last` is the dot that belongs to no entry, as every edit has one. */
function record(entries: readonly Entry[], last: number, minor = formatMinor): Uint8Array {
  const context = new Map<string, Ranges>();
  seeAll(context, [...entries, { actor: 'b', counter: last }]);
  return encode({ minor, context, entries });
}

test('the same reference comes back when nothing changes', () => {
  const { state, delta } = edited(nothing, 'b', (e) => e.set('title', 1));
  expect(merge(state, state)).toEqual({ state, changed: false, conflicts: [] });
  for (const old of [nothing, delta, state, Buffer.from(delta)]) expect(merge(state, old).state).toBe(state);
  expect(merge(nothing, nothing).state).toBe(nothing);
});

test('results do not change when inputs or later merges do', () => {
  const { state } = edited(nothing, 'b', (e) => e.set('title', 'kept'));
  const input = Buffer.from(state);
  const joined = merge(nothing, input).state;
  input.fill(0);
  for (let index = 0; index < 1000; index += 1) merge(nothing, state);
  expect(type.read(joined).value).toMatchObject({ title: 'kept' });
});

test('actors that sort between known ones move the indices of entries on both sides', () => {
  let state = nothing;
  for (const actor of ['m', 'z', 'a', 'k', 'y']) {
    const other = edited(nothing, actor, (e) => {
      e.set(['more', actor], actor);
      e.increment('likes', 1);
    });
    state = merge(state, other.delta).state;
    validate(state);
  }
  expect(type.read(state).value).toMatchObject({
    likes: 5,
    more: { a: 'a', k: 'k', m: 'm', y: 'y', z: 'z' },
  });
});

test('more actors than one byte can count', () => {
  const actors = Array.from({ length: 300 }, (_, index) => `actor-${(index * 7) % 300}`);
  const state = actors.reduce<Uint8Array>(
    (all, actor) => merge(all, edited(nothing, actor, (e) => e.increment('likes', 1)).delta).state,
    nothing,
  );
  validate(state);
  expect(type.read(state).value).toMatchObject({ likes: 300 });
});

test('runs of context meet in any order', () => {
  const deltas: Uint8Array[] = [];
  let state = nothing;
  for (let index = 0; index < 40; index += 1) {
    const next = edited(state, 'a', (e) => e.set(['more', String(index % 7)], index));
    state = next.state;
    deltas.push(next.delta);
  }
  fc.assert(
    fc.property(fc.shuffledSubarray(deltas, { minLength: deltas.length }), (shuffled) => {
      expect(shuffled.reduce<Uint8Array>((all, delta) => merge(all, delta).state, nothing)).toEqual(state);
    }),
    { numRuns: 50 },
  );
});

test('a put takes the place of a value that only newer code can read', () => {
  const written = decode(edited(nothing, 'b', (e) => e.set('title', 1)).state);
  const entries = written.entries.map((entry) => {
    const newer = entry.payload.slice(0, 6) + '\u00bf';
    return entry.path === 'title' ? { ...entry, payload: newer } : entry;
  });
  const state = encode({ ...written, minor: formatMinor + 1, entries });
  expect(() => type.read(state)).toThrow(expect.objectContaining({ code: 'newer-format' }));
  const put = edited(state, 'a', (e) => e.put({ title: 2 }));
  expect(type.read(put.state).value).toMatchObject({ title: 2 });
});

describe('entries of types that this version does not know', () => {
  const opaque = foreign(0, 'b', 1, '\u0007\u0007');
  const slot = foreign(3, 'b', 2, vectorPayload([5, 0, 3]));
  const stamped = foreign(4, 'b', 3, stampText({ ms: 5, logical: 1 }));
  const future = record([opaque, slot, stamped], 4, formatMinor + 1);

  test('survive merges and edits, and keep the newer version', () => {
    validate(future);
    const { state, delta } = edited(future, 'a', (e) => e.set('title', 1));
    expect(decode(state).minor).toBe(formatMinor + 1);
    expect(decode(state).entries).toEqual(expect.arrayContaining([...decode(future).entries]));
    expect(merge(delta, future).state).toEqual(state);
    const older = edited(nothing, 'a', (e) => e.set('title', 1)).state;
    for (const both of [merge(older, future), merge(future, older)]) {
      expect(decode(both.state).minor).toBe(formatMinor + 1);
    }
    expect(type.read(state).value).toMatchObject({ title: 1 });
  });

  test('join by their traits', () => {
    const grown = record([foreign(3, 'b', 2, vectorPayload([4, 1, 9, 2]))], 5);
    const joined = merge(future, grown).state;
    expect(merge(grown, future).state).toEqual(joined);
    const found = decode(joined).entries.find((entry) => entry.sub === 'sub');
    expect(found?.payload).toBe(vectorPayload([5, 1, 9, 2]));
    const context = new Map<string, Ranges>();
    seeAll(context, [opaque, { actor: 'c', counter: 1 }]);
    const removed = merge(future, encode({ minor: 0, context, entries: [] })).state;
    expect(decode(removed).entries).toHaveLength(2);
  });

  test('go with the record that is deleted', () => {
    const { state } = edited(future, 'a', (e) => e.delete());
    expect(isDead(state)).toBe(true);
    expect(version(state)).toBe(version(nothing));
  });
});

test('another major version is refused by name', () => {
  const { state } = edited(nothing, 'a', (e) => e.set('title', 1));
  const newer = Uint8Array.from(state, (byte, index) => (index === 0 ? 0x20 : byte));
  for (const run of [() => merge(state, newer), () => merge(newer, state), () => validate(newer)]) {
    expect(run).toThrow(expect.objectContaining({ code: 'newer-format' }));
  }
});

test('an entry whose dot its own context lacks is refused', () => {
  const { state, delta } = edited(nothing, 'a', (e) => e.set('title', 1));
  const { entries, ...rest } = decode(delta);
  const forged = encode({ ...rest, entries: entries.map((entry) => ({ ...entry, counter: 9 })) });
  for (const run of [() => merge(nothing, forged), () => validate(forged)]) {
    expect(run).toThrow(expect.objectContaining({ code: 'malformed' }));
  }
  expect(merge(state, forged).state).toBe(state);
});

test('any bytes end in a record or in a typed error, and never outside their bounds', () => {
  const one = edited(nothing, 'us.1', (e) => {
    e.increment('likes', 3);
    e.add('tags', ['a', 1, true]);
  }).state;
  const state = edited(one, 'eu.1', (e) => {
    e.set('title', { a: [1, 'two'] });
    e.set('more.x', 'y');
    e.remove('tags', [1]);
  }).state;
  const flip = fc.record({ at: fc.nat({ max: state.length - 1 }), byte: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(flip, { maxLength: 3 }), fc.nat({ max: state.length }), (flips, end) => {
      const mutated = state.slice(0, end);
      for (const { at, byte } of flips) if (at < end) mutated[at] = byte;
      for (const run of [
        () => merge(state, mutated).state,
        () => merge(mutated, one).state,
        () => merge(one, mutated).state,
        () => validate(mutated),
        () => type.read(mutated),
      ]) {
        try {
          run();
        } catch (reason) {
          if (!(reason instanceof ConflictError)) throw reason;
        }
      }
    }),
    { numRuns: 3000 },
  );
});

test('what validate passes merges into what validate passes', () => {
  const { state } = edited(nothing, 'us.1', (e) => e.put({ title: 't', tags: ['a'], more: { x: 1 } }));
  let passed = 0;
  for (let at = 0; at < state.length; at += 1) {
    for (const byte of [0, 1, 2, 127, 128, 255]) {
      const mutated = state.slice();
      mutated[at] = byte;
      try {
        validate(mutated);
      } catch (reason) {
        expect(reason).toBeInstanceOf(ConflictError);
        continue;
      }
      passed += 1;
      validate(merge(state, mutated).state);
      type.read(mutated);
    }
  }
  expect(passed).toBeGreaterThan(0);
});

test('what is wrong with a name is told alike, whatever was read before', () => {
  const { state } = edited(nothing, 'eu', (e) => e.set('title', 'Lamp'));
  const key = [0xc0, 0x80, 0xf6];
  const entry = [0, 1, ...key, 0, 0, 0, 0, 0, 1, 0x20];
  const delta = Uint8Array.from([0x10, 1, 2, 0x75, 0x73, 2, 0, entry.length, ...entry]);
  const told = () => {
    try {
      return merge(state, delta);
    } catch (error) {
      return error;
    }
  };
  const before = told();
  expect(before).toMatchObject({ code: 'malformed' });
  type.read(edited(state, 'eu', (e) => e.set('title', 'Lamp'.repeat(100))).state);
  expect(told()).toEqual(before);
});

/** What arrives before its past, what is collected at different times, and what is created again. */
import { describe, expect, test } from 'vitest';
import { StabilityTracker } from '../causal/stability-tracker.ts';
import { VersionVector } from '../causal/version-vector.ts';
import { ConflictError } from '../errors.ts';
import { yjsText } from '../text/yjs-text.ts';
import { register, set, text } from '../types/field.ts';
import { compact } from './compact.ts';
import type { Editor } from './operations.ts';
import { inspect } from './inspect.ts';
import { merge } from './merge.ts';
import { schema } from './schema.ts';
import { contextOf, highestStamp, isDead } from './summary.ts';

const fields = { title: register(), banned: set({ bias: 'remove' }), notes: text() };
const AddWins = schema(fields, { text: yjsText });
const LastWins = schema(fields, { deletes: 'last-writer-wins', text: yjsText });
const nothing: Uint8Array = new Uint8Array(0);
const latestMs = 2 ** 48 - 1;

type Change = (editor: Editor) => void;

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return parts.reduce((state, delta) => merge(state, delta).state, nothing);
}

function ordersOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    ordersOf(items.filter((each) => each !== item)).map((rest) => [item, ...rest]),
  );
}

function partsOf<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const [first, ...others] = items;
  if (first === undefined) return [[]];
  return partsOf(others).flatMap((part) => [part, [first, ...part]]);
}

/** eu writes, us has seen it and makes it go, eu has seen that and writes again; ap has seen only the first. */
function fourSteps(
  type: typeof AddWins,
  [first, going, again, beside]: readonly [Change, Change, Change, Change],
) {
  const one = type.edit(nothing, { actor: 'eu', now: 10 }, first);
  const two = type.edit(one.state, { actor: 'us', now: 20 }, going);
  const three = type.edit(two.state, { actor: 'eu', now: 30 }, again);
  const four = type.edit(one.state, { actor: 'ap', now: 15 }, beside);
  return [one.delta, two.delta, three.delta, four.delta] as const;
}

function horizonOf(state: Uint8Array): VersionVector {
  const context = contextOf(state);
  const actors = [...context.actors()];
  const tracker = new StabilityTracker(actors);
  const seen = VersionVector.from(actors.map((actor) => [actor, context.seenOf(actor).max] as const));
  for (const actor of actors) tracker.observe(actor, seen);
  return tracker.horizon;
}

describe.each([
  ['add-wins', AddWins],
  ['last-writer-wins', LastWins],
] as const)('in %s collections', (_name, type) => {
  const stories = {
    register: fourSteps(type, [
      (e) => e.set('title', 'first'),
      (e) => e.clear('title'),
      (e) => e.set('title', 'again'),
      (e) => e.set('title', 'beside'),
    ]),
    'set biased to removal': fourSteps(type, [
      (e) => e.remove('banned', ['x']),
      (e) => e.add('banned', ['x']),
      (e) => e.add('banned', ['x']),
      (e) => e.add('banned', ['x']),
    ]),
    'set that says the same again': fourSteps(type, [
      (e) => e.add('banned', ['x']),
      (e) => e.remove('banned', ['x']),
      (e) => e.add('banned', ['x']),
      (e) => e.add('banned', ['x']),
    ]),
  };

  test.each(Object.entries(stories))(
    '%s: every part of the deltas is one state in every order',
    (_type, all) => {
      for (const part of partsOf(all)) {
        const [state = nothing, ...others] = ordersOf(part).map((order) => join(...order));
        for (const other of others) expect(other).toEqual(state);
        for (const half of partsOf(part)) {
          const rest = part.filter((delta) => !half.includes(delta));
          expect(merge(join(...half), join(...rest)).state).toEqual(state);
        }
      }
    },
  );

  test('of one actor only its latest write at a place counts, before the news of the earlier one', () => {
    const [first, cleared, again, beside] = stories.register;
    const early = type.read(join(again, first));
    expect(early).toMatchObject({ value: { title: 'again' }, conflicts: [] });
    const titles = type.read(join(first, beside, again)).siblings['title'];
    expect(titles?.map(({ value }) => value)).toEqual(['again', 'beside']);
    const entries = inspect(join(first, again)).fields.find(({ path }) => path === 'title')?.entries;
    expect(entries).toMatchObject([
      { value: 'again', shown: true },
      { value: 'first', shown: false, why: 'its writer has seen it go and has written again since' },
    ]);
    expect(type.read(join(first, again, beside, cleared)).siblings['title']).toHaveLength(2);
  });

  test('an addition counts over an earlier removal of the same actor, before the news of what it saw', () => {
    const [removed, added, again] = stories['set biased to removal'];
    expect(type.read(join(removed, again)).value).toMatchObject({ banned: ['x'] });
    expect(type.read(join(removed, added, again)).value).toMatchObject({ banned: ['x'] });
  });

  test('an addition after one collected reaches those that have not', () => {
    const added = type.edit(nothing, { actor: 'eu', now: 10 }, (e) => e.add('banned', ['x', 'y']));
    const { state } = type.edit(added.state, { actor: 'us', now: 20 }, (e) => e.remove('banned', ['x']));
    const small = compact(state, horizonOf(state)).state;
    const { delta } = type.edit(small, { actor: 'eu', now: 30 }, (e) => e.add('banned', ['x']));
    expect(type.read(merge(state, delta).state).value).toMatchObject({ banned: ['x', 'y'] });
  });

  test('a clear after one collected takes what a removal beats at those that have not', () => {
    const start = type.edit(nothing, { actor: 'eu', now: 10 }, (e) => e.set('title', 'a'));
    const added = type.edit(start.state, { actor: 'eu', now: 20 }, (e) => e.add('banned', ['x']));
    const removed = type.edit(start.state, { actor: 'us', now: 20 }, (e) => e.remove('banned', ['x']));
    const state = join(added.state, removed.delta);
    expect(type.read(state).value).toMatchObject({ banned: [] });
    const { delta } = type.edit(compact(state, horizonOf(state)).state, { actor: 'ap', now: 30 }, (e) =>
      e.clear('banned'),
    );
    expect(type.read(merge(state, delta).state).value).toMatchObject({ banned: [] });
  });

  test('words written beside a cleared text are read where the cleared text was collected', () => {
    const start = type.edit(nothing, { actor: 'eu', now: 10 }, (e) => e.put({ title: 'a', notes: 'gone' }));
    const { state } = type.edit(start.state, { actor: 'us', now: 20 }, (e) => e.clear('notes'));
    const small = compact(state, horizonOf(state)).state;
    expect(small.length).toBeLessThan(state.length);
    const write = (before: Uint8Array) =>
      type.edit(before, { actor: 'eu', now: 30 }, (e) => e.splice('notes', [{ at: 0, insert: 'new' }])).delta;
    expect(type.read(merge(small, write(state)).state).value).toMatchObject({ notes: 'new' });
    expect(type.read(merge(state, write(small)).state).value).toMatchObject({ notes: 'new' });
  });
});

describe('a record that is created again by a clock behind its deletion', () => {
  const created = LastWins.edit(nothing, { actor: 'eu', now: 10_000 }, (e) => e.set('title', 'old'));
  const deleted = LastWins.edit(created.state, { actor: 'us', now: 20_000 }, (e) => e.delete());
  const floor = contextOf(deleted.state).last('eu');
  const floorMs = highestStamp(deleted.state) ?? 0;
  const again = (context: object) =>
    LastWins.edit(nothing, { actor: 'eu', now: 5000, ...context }, (e) => e.set('title', 'new'));

  test('is shown where the deletion was collected and where it was not', () => {
    const { state, delta } = again({ floor, floorMs });
    expect(LastWins.read(state).value).toEqual({ title: 'new', banned: [], notes: '' });
    const there = merge(deleted.state, delta).state;
    expect(LastWins.read(there).value).toEqual(LastWins.read(state).value);
    expect(LastWins.read(merge(state, there).state).value).toEqual(LastWins.read(state).value);
    expect(isDead(merge(deleted.state, again({ floor }).delta).state)).toBe(true);
  });

  test('is shown there too where it was collected, and not dropped yet', () => {
    const small = compact(deleted.state, horizonOf(deleted.state)).state;
    const { delta } = LastWins.edit(small, { actor: 'eu', now: 5000 }, (e) => e.set('title', 'new'));
    expect(LastWins.read(merge(deleted.state, delta).state).value).toMatchObject({ title: 'new' });
  });

  test('a text that the deletion hides stays hidden beside new words', () => {
    const type = LastWins;
    const late = type.edit(created.state, { actor: 'ap', now: 15_000 }, (e) => e.put({ notes: 'hidden' }));
    const dead = join(deleted.state, late.delta);
    const { state } = type.edit(dead, { actor: 'eu', now: 30_000 }, (e) => e.set('title', 'new'));
    const small = compact(state, horizonOf(state)).state;
    const { delta } = type.edit(small, { actor: 'eu', now: 40_000 }, (e) =>
      e.splice('notes', [{ at: 0, insert: 'seen' }]),
    );
    expect(type.read(merge(state, delta).state).value).toMatchObject({ notes: 'seen' });
  });

  test.each([-1, Number.NaN, Infinity, 2 ** 48, '1', null])('%s is no floor in milliseconds', (value) => {
    expect(() => again({ floorMs: value })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', rule: 'floorMs' }),
    );
    expect(() => again({ floorMs: value })).toThrow(ConflictError);
  });

  test('the latest time of all is a floor too', () => {
    expect(highestStamp(again({ floorMs: latestMs }).state)).toBe(latestMs);
    expect(highestStamp(again({ floorMs: 5000.9 }).state)).toBe(5001);
    expect(highestStamp(again({ floorMs: 0 }).state)).toBe(5000);
  });

  test('the floor holds for the first write only', () => {
    const { state } = again({});
    const later = LastWins.edit(state, { actor: 'eu', now: 6000, floorMs: 90_000 }, (e) =>
      e.set('title', 'b'),
    );
    expect(highestStamp(later.state)).toBe(6000);
  });
});

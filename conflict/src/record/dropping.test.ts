/** What may be dropped, what a delete of a dead record takes, and records that some drop and others hold. */
import { describe, expect, test } from 'vitest';
import { VersionVector } from '../causal/version-vector.ts';
import { yjsText } from '../text/yjs-text.ts';
import { boundedCounter, counter, register, set, text } from '../types/field.ts';
import { collectable } from './collectable.ts';
import { compact } from './compact.ts';
import { merge } from './merge.ts';
import type { Editor } from './operations.ts';
import { schema } from './schema.ts';
import { contextOf, highestStamp, isDead, liveHash, version } from './summary.ts';

const fields = {
  title: register(),
  likes: counter(),
  stock: boundedCounter(),
  tags: set(),
  banned: set({ bias: 'remove' }),
  notes: text(),
};
const AddWins = schema(fields, { text: yjsText });
const LastWins = schema(fields, { deletes: 'last-writer-wins', text: yjsText });
const nothing: Uint8Array = new Uint8Array(0);

type Type = typeof AddWins;
type Change = (editor: Editor<typeof fields>) => void;

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return parts.reduce((state, delta) => merge(state, delta).state, nothing);
}

function seenIn(state: Uint8Array): VersionVector {
  const context = contextOf(state);
  return VersionVector.from([...context.actors()].map((actor) => [actor, context.last(actor)] as const));
}

/** us deletes what eu has created, and ap, who has not seen that, writes at the same time. */
function hiddenBy(type: Type, { before, beside }: { before?: Change; beside: Change }): Uint8Array {
  const start = type.edit(nothing, { actor: 'eu', now: 10 }, (e) => e.set('title', 'old'));
  const created = before === undefined ? start : type.edit(start.state, { actor: 'ap', now: 11 }, before);
  const deleted = type.edit(created.state, { actor: 'us', now: 30 }, (e) => e.delete());
  const late = type.edit(created.state, { actor: 'ap', now: 20 }, beside);
  return join(deleted.state, late.delta);
}

const refill: Change = (e) => e.refill('stock', 10);
const lastWins: Readonly<Record<string, { before?: Change; beside: Change }>> = {
  value: { beside: (e) => e.set('title', 'late') },
  increment: { beside: (e) => e.increment('likes', 5) },
  right: { beside: refill },
  'moved right': { before: refill, beside: (e) => e.moveRights('stock', { to: 'eu', amount: 2 }) },
  'spending of what was destroyed': { before: refill, beside: (e) => e.spend('stock', 3) },
  element: { beside: (e) => e.add('tags', ['late']) },
  removal: { beside: (e) => e.remove('banned', ['x']) },
  text: { beside: (e) => e.put({ title: 'old', notes: 'late' }) },
  'text beside seen words': {
    before: (e) => e.splice('notes', [{ at: 0, insert: 'seen' }]),
    beside: (e) => e.splice('notes', [{ at: 4, insert: ' late' }]),
  },
  mark: { beside: (e) => e.clear('title') },
};
const addWins: typeof lastWins = {
  'spending of what was destroyed': { before: refill, beside: (e) => e.spend('stock', 3) },
  removal: { beside: (e) => e.remove('banned', ['x']) },
};
const stories = [
  ...Object.entries(lastWins).map(([name, story]) => ['last-writer-wins', name, LastWins, story] as const),
  ...Object.entries(addWins).map(([name, story]) => ['add-wins', name, AddWins, story] as const),
];

describe.each(stories)('%s: a %s that the delete has not seen', (_deletes, _name, type, story) => {
  const dead = hiddenBy(type, story);
  const purge = () => type.edit(dead, { actor: 'eu', now: 60, horizon: seenIn(dead) }, (e) => e.delete());
  const again =
    (to: string): Change =>
    (e) => {
      e.put({ title: 'new', banned: ['x'] });
      e.increment('likes', 1);
      e.refill('stock', 1);
      e.moveRights('stock', { to, amount: 1 });
      e.splice('notes', [{ at: 0, insert: 'words' }]);
    };

  test('keeps the record from being dropped, also where it is compacted', () => {
    expect([isDead(dead), collectable(dead)]).toEqual([true, 'hiding']);
    const compacted = compact(dead, seenIn(dead));
    expect(compacted.record).toBe('hiding');
    expect(collectable(compacted.state)).toBe('hiding');
  });

  test('goes by another delete, which writes no deletion of its own', () => {
    const { state, changed } = purge();
    expect([changed, isDead(state), collectable(state)]).toEqual([true, true, 'droppable']);
    expect(join(dead, purge().delta)).toEqual(state);
    const once = type.edit(state, { actor: 'us', now: 70 }, (e) => e.delete());
    expect([once.changed, once.state]).toEqual([false, state]);
    expect(compact(state, seenIn(state)).record).toBe('droppable');
    const meanwhile = type.edit(dead, { actor: 'ap', now: 50 }, (e) => e.set('title', 'alive'));
    expect(type.read(join(meanwhile.state, purge().delta)).value).toMatchObject({ title: 'alive', likes: 0 });
    // The deletion that was there goes on hiding what comes later than the purge and was written before it.
    const late = type.edit(nothing, { actor: 'sa', now: 25 }, (e) => e.set('title', 'late'));
    expect(isDead(join(state, late.delta))).toBe(type.deletes === 'last-writer-wins');
  });

  test.each(['eu', 'us', 'ap'])('then %s drops and creates it again while others hold it', (actor) => {
    const held = purge().state;
    const floors = { floor: contextOf(held).last(actor), floorMs: highestStamp(held) ?? 0 };
    const created = type.edit(nothing, { actor, now: 5, ...floors }, again(actor === 'ap' ? 'us' : 'ap'));
    const there = join(held, created.delta);
    expect(type.read(there).value).toEqual(type.read(created.state).value);
    expect([version(there), liveHash(there)]).toEqual([version(created.state), liveHash(created.state)]);
    for (const writer of ['eu', 'us', 'ap'].filter((each) => each !== actor)) {
      const next = type.edit(there, { actor: writer, now: 90 }, (e) => {
        e.splice('notes', [{ at: 0, insert: 'more ' }]);
        e.increment('likes', 2);
      });
      const [here, among] = [join(created.state, next.delta), join(held, next.delta, created.delta)];
      expect(type.read(here).value).toEqual(type.read(next.state).value);
      expect(type.read(among).value).toEqual(type.read(next.state).value);
    }
  });
});

test('what nothing is left of may be dropped; what lives, hides or is unstable may not', () => {
  const live = LastWins.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.set('title', 'a')).state;
  const dead = LastWins.edit(live, { actor: 'eu', now: 2 }, (e) => e.delete()).state;
  expect([nothing, live, dead].map(collectable)).toEqual(['droppable', 'live', 'droppable']);
  expect(compact(live, seenIn(live)).record).toBe('live');
  expect(compact(dead, new VersionVector())).toEqual({ state: dead, record: 'unstable' });
});

test('an open debt is left to who has seen what everybody has seen', () => {
  const dead = hiddenBy(AddWins, { before: refill, beside: (e) => e.spend('stock', 3) });
  const { changed, state } = AddWins.edit(dead, { actor: 'eu', now: 60 }, (e) => e.delete());
  expect([changed, collectable(state)]).toEqual([false, 'hiding']);
  const horizon = seenIn(dead).join(VersionVector.from([['xx', 1]]));
  expect(AddWins.edit(dead, { actor: 'eu', now: 60, horizon }, (e) => e.delete()).changed).toBe(false);
});

test('words written beside a clear are numbered anew, so no insertion is taken for a cleared one', () => {
  const start = AddWins.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.put({ notes: 'one' }));
  const more = AddWins.edit(start.state, { actor: 'us', now: 2 }, (e) =>
    e.splice('notes', [{ at: 3, insert: ' two' }]),
  );
  const held = AddWins.edit(more.state, { actor: 'eu', now: 3 }, (e) => e.delete()).state;
  const floors = { floor: contextOf(held).last('eu'), floorMs: highestStamp(held) ?? 0 };
  const created = AddWins.edit(nothing, { actor: 'eu', now: 4, ...floors }, (e) => e.put({ notes: 'new' }));
  // us has taken the new life, and with it has gone what eu had left; ap has only heard of what us writes then.
  const us = AddWins.edit(join(held, created.delta), { actor: 'us', now: 5 }, (e) =>
    e.splice('notes', [{ at: 3, insert: ' word' }]),
  );
  const ap = AddWins.edit(join(held, us.delta), { actor: 'ap', now: 6 }, (e) =>
    e.splice('notes', [
      { at: 0, insert: '' },
      { at: 0, insert: '>' },
    ]),
  );
  const all = join(us.state, ap.delta);
  expect(AddWins.read(all).value?.notes).toContain('new word');
  expect(AddWins.read(join(created.state, us.delta, ap.delta)).value).toEqual(AddWins.read(all).value);
});

test('a clear does not show a text that the deletion hides', () => {
  const start = LastWins.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.put({ notes: 'old' }));
  const late = LastWins.edit(start.state, { actor: 'ap', now: 20 }, (e) =>
    e.splice('notes', [{ at: 3, insert: ' late' }]),
  );
  const deleted = LastWins.edit(start.state, { actor: 'us', now: 30 }, (e) => e.delete());
  const again = LastWins.edit(deleted.state, { actor: 'us', now: 40 }, (e) => e.put({ notes: 'new' }));
  const cleared = LastWins.edit(again.state, { actor: 'us', now: 50 }, (e) => e.clear('notes'));
  expect(LastWins.read(join(cleared.state, late.delta)).value?.notes).toBe('');
});

test('who has dropped a record collects the next life of it too, which begins with a gap for it', () => {
  const held = AddWins.edit(nothing, { actor: 'us', now: 1 }, (e) => e.set('title', 'old'));
  const dead = AddWins.edit(held.state, { actor: 'us', now: 2 }, (e) => e.delete()).state;
  // eu has dropped that, us has not and creates the record again.
  const again = AddWins.edit(dead, { actor: 'us', now: 3 }, refill);
  const spent = AddWins.edit(again.state, { actor: 'us', now: 4 }, (e) => e.spend('stock', 3));
  const deleted = AddWins.edit(again.delta, { actor: 'eu', now: 5 }, (e) => e.delete());
  const state = join(deleted.state, spent.delta);
  expect([contextOf(state).seenOf('us').max, collectable(state)]).toEqual([0, 'hiding']);
  const horizon = seenIn(state);
  expect(compact(state, horizon).record).toBe('hiding');
  const purged = AddWins.edit(state, { actor: 'eu', now: 6, horizon }, (e) => e.delete());
  expect(collectable(purged.state)).toBe('droppable');
  expect(collectable(join(spent.state, deleted.delta, purged.delta))).toBe('droppable');
});

test('a clear takes words that build on others which it has not seen', () => {
  const start = AddWins.edit(nothing, { actor: 'eu', now: 1 }, (e) =>
    e.splice('notes', [{ at: 0, insert: 'ab' }]),
  );
  const seen = AddWins.edit(start.state, { actor: 'eu', now: 2 }, (e) =>
    e.splice('notes', [{ at: 2, insert: 'c' }]),
  );
  const early = AddWins.edit(seen.state, { actor: 'eu', now: 3 }, (e) =>
    e.splice('notes', [{ at: 1, insert: 'x' }]),
  );
  const byUs = AddWins.edit(join(start.state, early.delta), { actor: 'us', now: 4 }, (e) => e.delete());
  const byAp = AddWins.edit(seen.state, { actor: 'ap', now: 5 }, (e) => e.delete());
  const held = join(early.state, byUs.delta, byAp.delta);
  expect(collectable(held)).toBe('droppable');
  const floors = { floor: contextOf(held).last('ap'), floorMs: highestStamp(held) ?? 0 };
  const again = AddWins.edit(nothing, { actor: 'ap', now: 6, ...floors }, (e) => e.put({ notes: 'new' }));
  expect(AddWins.read(join(held, again.delta)).value).toEqual(AddWins.read(again.state).value);
  const alone = join(seen.state, byUs.delta);
  expect(AddWins.read(alone).value?.notes).toBe('c');
});

/**
 * Families of records: states and deltas that share a history, each with a name, so that merges between all of them
 * mean something. Together they hold every type, every trait of unknown types and every turn of a merge.
 */
import { extendedKey } from '../fuzz/extended-key.ts';
import { type Dot, type Ranges, seeAll } from '../causal/seen.ts';
import { formatMinor, tagExtended } from '../codec/format.ts';
import { assert } from '../refusal.ts';
import { encode } from '../record/decoded-record.ts';
import type { Editor } from '../record/operations.ts';
import { type Entry } from '../record/entry.ts';
import { merge } from '../record/merge.ts';
import { schema, type Schema } from '../record/schema.ts';
import { contextOf } from '../record/summary.ts';
import { yjsText } from '../text/yjs-text.ts';
import { boundedCounter, counter, map, register, set, text } from '../types/field.ts';

const fields = {
  title: register(),
  status: register({ resolve: 'siblings' }),
  likes: counter(),
  stock: boundedCounter({ min: 2 }),
  tags: set(),
  banned: set({ bias: 'remove' }),
  notes: text(),
  more: map(register()),
  tree: map({ leaf: register(), deep: map(map({ count: counter(), set: set() })) }),
};

/** The schema that values of the vectors are read with. */
export const addWins: Schema = schema(fields, { text: yjsText });
const lastWriterWins: Schema = schema(fields, { deletes: 'last-writer-wins', text: yjsText });
const nothing: Uint8Array = new Uint8Array(0);
const start = 1_700_000_000_000;

export class Family {
  readonly name: string;
  readonly members = new Map<string, Uint8Array>();
  readonly #type: Schema;
  /** The last counter of each actor: no vector may have two writers share one. */
  readonly #last = new Map<string, number>();

  constructor(name: string, type = addWins) {
    this.name = name;
    this.#type = type;
  }

  /** Adds the state after an edit, and its delta under `name + delta`. `at` counts milliseconds from the start. */
  edit(
    name: string,
    before: string,
    [actor, at, floor = 0]: readonly [string, number, number?],
    change: (editor: Editor) => void,
  ): this {
    assert(
      contextOf(this.#of(before)).last(actor) === (this.#last.get(actor) ?? 0),
      `${name} forgets ${actor}`,
    );
    const { state, delta } = this.#type.edit(this.#of(before), { actor, now: start + at, floor }, change);
    this.members.set(name, state);
    this.#last.set(actor, contextOf(state).last(actor));
    if (delta !== state && before !== '') this.members.set(`${name} delta`, delta);
    return this;
  }

  join(name: string, a: string, b: string): this {
    this.members.set(name, merge(this.#of(a), this.#of(b)).state);
    return this;
  }

  put(name: string, bytes: Uint8Array): this {
    this.members.set(name, bytes);
    return this;
  }

  #of(name: string): Uint8Array {
    return this.members.get(name) ?? nothing;
  }
}

export function families(): readonly Family[] {
  return [...ofFields(), ...ofRecords(), ...ofGoneUnheard(), foreign(), crowded()];
}

/** Later writes of an actor that arrive before the news of what made its earlier one go. */
function ofGoneUnheard(): readonly Family[] {
  return [
    new Family('registers out of order')
      .edit('first', '', ['eu', 0], (e) => e.set('title', 1))
      .edit('cleared', 'first', ['us', 1], (e) => e.clear('title'))
      .edit('again', 'cleared', ['eu', 2], (e) => e.set('title', 2))
      .edit('beside', 'first', ['ap', 1], (e) => e.set('title', 3))
      .join('first and again', 'first', 'again delta')
      .join('all but cleared', 'first and again', 'beside delta'),
    new Family('sets out of order')
      .edit('first', '', ['eu', 0], (e) => e.remove('banned', ['x', 'y']))
      .edit('added', 'first', ['us', 1], (e) => e.add('banned', ['x', 'y']))
      .edit('again', 'added', ['eu', 2], (e) => [e.add('banned', ['x']), e.remove('banned', ['y'])])
      .edit('beside', 'first', ['ap', 1], (e) => e.add('banned', ['x']))
      .join('first and again', 'first', 'again delta')
      .join('all but added', 'first and again', 'beside delta'),
  ];
}

function ofFields(): readonly Family[] {
  return [
    new Family('registers')
      .edit('created', '', ['eu', 0], (e) => e.set('title', 'hi'))
      .edit('overwritten', 'created', ['us', 0], (e) => e.set('title', 'yo'))
      .edit('concurrent', 'created', ['ap', 5], (e) => e.set('title', { b: [1, -2.5, null], a: 'é' }))
      .join('siblings', 'overwritten', 'concurrent')
      .edit('resolved', 'siblings', ['eu', 9], (e) => e.set('title', 'both'))
      .edit('cleared', 'siblings', ['us', 9], (e) => e.clear('title'))
      .edit('status', 'siblings', ['ap', 1], (e) => e.set('status', -0)),
    new Family('counters')
      .edit('one', '', ['eu', 0], (e) => e.increment('likes', 3))
      .edit('more', 'one', ['eu', 1], (e) => e.increment('likes', 300))
      .edit('less', 'one', ['us', 1], (e) => e.increment('likes', -7))
      .edit('reset', 'one', ['ap', 2], (e) => e.clear('likes'))
      .join('reset and more', 'reset', 'more')
      .edit('new birth', 'reset and more', ['eu', 3], (e) => e.increment('likes', 5))
      .edit('huge', 'less', ['us', 3], (e) => e.increment('likes', 2 ** 52)),
    new Family('bounded counters')
      .edit('refilled', '', ['eu', 0], (e) => e.refill('stock', 10))
      .edit('moved', 'refilled', ['eu', 1], (e) => e.moveRights('stock', { to: 'us', amount: 4 }))
      .edit('spent', 'moved', ['us', 2], (e) => e.spend('stock', 3))
      .edit('also spent', 'moved', ['eu', 2], (e) => e.spend('stock', 6))
      .edit('reset', 'moved', ['ap', 3], (e) => e.clear('stock'))
      .join('forgiven', 'reset', 'spent')
      .edit('settled', 'forgiven', ['us', 4], (e) => e.refill('stock', 5)),
    new Family('sets')
      .edit('added', '', ['eu', 0], (e) => e.add('tags', ['b', 'a', 1, -1.5, true, 2 ** 40]))
      .edit('removed', 'added', ['us', 1], (e) => e.remove('tags', ['a', 1]))
      .edit('added again', 'added', ['ap', 1], (e) => e.add('tags', ['a', 'c']))
      .edit('banned', 'added', ['eu', 1], (e) => e.add('banned', ['x', 'y']))
      .edit('unbanned', 'added', ['za', 2], (e) => e.remove('banned', ['x'])),
    new Family('maps')
      .edit('created', '', ['eu', 0], (e) =>
        e.put({ more: { 'a.b': 1, '': 2 }, tree: { leaf: 'l', deep: { m: { count: 0, set: ['s'] } } } }),
      )
      .edit('odd names', 'created', ['us', 1], (e) => {
        for (const name of ['__proto__', 'constructor', '\u{1f30d}', 'é']) e.set(['more', name], name);
      })
      .edit('inside', 'created', ['ap', 1], (e) => e.increment(['tree', 'deep', 'm', 'count'], 2))
      .edit('cleared', 'created', ['eu', 2], (e) => e.clear('tree'))
      .join('reset and inside', 'cleared', 'inside'),
    new Family('texts')
      .edit('written', '', ['eu', 0], (e) => e.splice('notes', [{ at: 0, insert: 'hello' }]))
      .edit('continued', 'written', ['us', 1], (e) => e.splice('notes', [{ at: 5, insert: ' \u{1f30d}' }]))
      .edit('cut', 'written', ['ap', 1], (e) => e.splice('notes', [{ at: 0, delete: 1, insert: 'J' }]))
      .edit('cleared', 'written', ['eu', 2], (e) => e.clear('notes'))
      .join('cleared and cut', 'cleared', 'cut'),
  ];
}

function ofRecords(): readonly Family[] {
  return [
    new Family('deletes, add wins')
      .edit('created', '', ['eu', 0], (e) => e.put({ title: 't', tags: ['a'], notes: 'n' }))
      .edit('counted', 'created', ['eu', 1], (e) => e.increment('likes', 2))
      .edit('deleted', 'counted', ['us', 2], (e) => e.delete())
      .edit('updated', 'counted', ['ap', 1], (e) => e.set('title', 'kept'))
      .edit('inserted again', 'deleted', ['us', 3], (e) => e.set('title', 'new'))
      .edit('emptied', 'counted', ['eu', 4], (e) => e.put({})),
    new Family('deletes, last writer wins', lastWriterWins)
      .edit('created', '', ['eu', 0], (e) => e.put({ title: 't', tags: ['a'], banned: ['b'], notes: 'n' }))
      .edit('deleted', 'created', ['us', 5], (e) => e.delete())
      .edit('earlier', 'created', ['ap', 3], (e) => e.set('status', 'late to the party'))
      .edit('later', 'created', ['eu', 9], (e) => e.set('status', 'lives'))
      .edit('deleted again', 'created', ['za', 6], (e) => e.delete())
      .edit('inserted again', 'deleted', ['us', 4], (e) => e.set('title', 'new')),
    new Family('gaps')
      .edit('one', '', ['eu', 0, 100], (e) => e.set('title', 1))
      .edit('two', 'one', ['eu', 1], (e) => e.set('more.a', 2))
      .edit('three', 'two', ['eu', 2], (e) => e.set('more.b', 3))
      .edit('four', 'three', ['eu', 3], (e) => e.set('more.a', 4))
      .join('two and four', 'two delta', 'four delta')
      .join('all but three', 'one', 'two and four')
      .edit('elsewhere', 'all but three', ['us', 4], (e) => e.set('title', 5)),
  ];
}

/** Types of a newer minor version, with each combination of traits that has a meaning, and what removes them. */
function foreign(): Family {
  const payloads = [[7, 7], [7], [5, 0, 3], [9], [0, 0, 0, 0, 0, 5, 1], [0, 0, 0, 0, 1, 0, 0xff, 0, 3]];
  const entryOf = (payload: readonly number[], traits: number, counterOfDot: number): Entry => {
    const named = {
      path: 'future',
      tag: tagExtended * 256 + 24 + traits,
      sub: (traits & 1) === 0 ? '' : 'sub',
    };
    return {
      key: extendedKey(named),
      ...named,
      actor: 'eu',
      counter: counterOfDot,
      payload: String.fromCharCode(...payload),
    };
  };
  const recordOf = (entries: readonly Entry[], seen: readonly Dot[], minor: number): Uint8Array => {
    const context = new Map<string, Ranges>();
    seeAll(context, [...entries, ...seen]);
    return encode({ minor, context, entries });
  };
  const dot = (counterOfDot: number): Dot => ({ actor: 'eu', counter: counterOfDot });
  const all = payloads.map((payload, traits) => entryOf(payload, traits, traits + 1));
  return new Family('unknown types')
    .put('all traits', recordOf(all, [dot(7)], formatMinor + 1))
    .put('grown', recordOf([entryOf([4, 1, 9, 2], 2, 3)], [dot(8)], formatMinor))
    .put('later birth', recordOf([entryOf([1], 3, 9)], [dot(10)], formatMinor))
    .put('forged', recordOf([entryOf([7, 8], 0, 1)], [dot(11)], formatMinor))
    .put('removed', recordOf([], [dot(1), { actor: 'za', counter: 1 }], formatMinor + 2))
    .edit('beside', 'all traits', ['us', 0], (e) => e.set('title', 1))
    .edit('deleted', 'beside', ['us', 1], (e) => e.delete());
}

/** Indices of actors that take two bytes, and that move when others come. */
function crowded(): Family {
  const family = new Family('crowds');
  const crowd = (prefix: string, count: number) => {
    let state = nothing;
    for (let index = 0; index < count; index++) {
      const context = { actor: `${prefix}${(index * 7) % count}`, now: start };
      state = merge(state, addWins.edit(nothing, context, (e) => e.increment('likes', 1)).delta).state;
    }
    return state;
  };
  return family
    .put('sixty', crowd('b', 60))
    .put('ninety', crowd('a', 90))
    .join('both', 'sixty', 'ninety')
    .edit('one more', 'both', ['a', 1], (e) => e.set('title', 'first of all'));
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CausalContext } from './causal-context.ts';
import type { Dot } from './seen.ts';
import { checkFence, StabilityTracker } from './stability-tracker.ts';
import { VersionVector } from './version-vector.ts';

const dot = fc.record({ actor: fc.constantFrom('a', 'b'), counter: fc.integer({ min: 1, max: 12 }) });
const name = ({ actor, counter }: Dot) => `${actor}${counter}`;

function contextOf(dots: readonly Dot[]): CausalContext {
  const context = new CausalContext();
  for (const each of dots) context.add(each);
  return context;
}

test('a context holds exactly the dots it was told of', () => {
  const all = ['a', 'b'].flatMap((actor) =>
    Array.from({ length: 13 }, (_, index) => ({ actor, counter: index + 1 })),
  );
  fc.assert(
    fc.property(fc.array(dot), fc.array(dot), (first, second) => {
      const context = contextOf(first);
      const bulk = new CausalContext();
      bulk.addAll(first);
      expect(bulk.equals(context)).toBe(true);
      const other = contextOf(second);
      const joined = context.clone();
      joined.merge(other);
      const known = new Set([...first, ...second].map(name));
      for (const each of all) expect(joined.has(each)).toBe(known.has(name(each)));
      expect(joined.covers(context) && joined.covers(other)).toBe(true);
      expect(context.covers(joined)).toBe(known.size === new Set(first.map(name)).size);
    }),
  );
});

test('after 1 and 3, 2 is unseen and 3 is a run of its own', () => {
  const context = contextOf([
    { actor: 'a', counter: 3 },
    { actor: 'a', counter: 1 },
  ]);
  expect(context.seenOf('a')).toEqual({ max: 1, runs: [3, 3] });
  expect(context.last('a')).toBe(3);
  context.add({ actor: 'a', counter: 2 });
  expect(context.seenOf('a')).toEqual({ max: 3, runs: [] });
  expect(() => context.addRun('a', 0, 1)).toThrow(expect.objectContaining({ rule: 'counter' }));
});

test('vectors are compared and combined pointwise', () => {
  const a = VersionVector.from([
    ['x', 3],
    ['y', 1],
  ]);
  const b = VersionVector.from([['y', 2]]);
  expect(a.covers(b)).toBe(false);
  expect(a.join(b).entries()).toEqual([
    ['x', 3],
    ['y', 2],
  ]);
  expect(a.meet(b).entries()).toEqual([['y', 1]]);
  expect(a.join(b).covers(a)).toBe(true);
  expect(() => a.raise('x', -1)).toThrow(expect.objectContaining({ rule: 'counter' }));
});

test('the horizon moves when everything written is known to all', () => {
  const tracker = new StabilityTracker(['a', 'b']);
  const both = VersionVector.from([
    ['a', 1],
    ['b', 1],
  ]);
  expect(tracker.observe('a', both)).toBe('observed');
  expect(tracker.horizon.entries()).toEqual([]);
  tracker.observe('b', both.join(VersionVector.from([['b', 2]])));
  expect(tracker.horizon.entries()).toEqual([]);
  tracker.observe('a', VersionVector.from([['b', 2]]));
  expect(tracker.horizon.entries()).toEqual([
    ['a', 1],
    ['b', 2],
  ]);
});

test('a member that is away holds the horizon back until it is evicted, and is fenced then', () => {
  const tracker = new StabilityTracker(['a', 'b', 'away']);
  const seen = VersionVector.from([['a', 4]]);
  tracker.observe('a', seen);
  tracker.observe('b', seen);
  expect(tracker.horizon.entries()).toEqual([]);
  tracker.evict('away');
  expect(tracker.horizon.entries()).toEqual([]);
  tracker.observe('a', seen);
  expect(tracker.horizon.entries()).toEqual([]);
  tracker.observe('b', seen);
  expect(tracker.horizon.entries()).toEqual([['a', 4]]);
  const stale = VersionVector.from([['away', 9]]);
  expect(tracker.observe('away', stale)).toBe('unknown-member');
  expect(tracker.admit('away', stale)).toBe('below-horizon');
  expect(tracker.members()).toEqual(['a', 'b']);
  expect(tracker.admit('away', seen)).toBe('observed');
  expect(tracker.members()).toEqual(['a', 'away', 'b']);
  expect(() => checkFence(stale, tracker.horizon)).toThrow(
    expect.objectContaining({ code: 'below-horizon', limit: 4, value: 0 }),
  );
  checkFence(seen, tracker.horizon);
});

test('what one member took from an evicted one holds the horizon back until all have it', () => {
  const tracker = new StabilityTracker(['a', 'b', 'c']);
  const some = VersionVector.from([['a', 3]]);
  tracker.observe('b', some);
  tracker.observe('c', some);
  tracker.evict('a');
  tracker.observe('b', some);
  expect(tracker.horizon.entries()).toEqual([]);
  const more = VersionVector.from([['a', 6]]);
  tracker.observe('b', more);
  tracker.observe('c', some);
  expect(tracker.horizon.entries()).toEqual([]);
  tracker.observe('c', more);
  expect(tracker.horizon.entries()).toEqual([['a', 6]]);
});

test('only members write: a report that tells of others is not taken', () => {
  const tracker = new StabilityTracker(['a', 'b'], ['old']);
  const foreign = VersionVector.from([['stranger', 1]]);
  expect(tracker.observe('a', foreign)).toBe('unknown-actor');
  expect(tracker.observe('a', VersionVector.from([['old', 2]]))).toBe('observed');
  expect(tracker.observe('b', VersionVector.from([['old', 2]]))).toBe('observed');
  expect(tracker.horizon.entries()).toEqual([['old', 2]]);
  expect(tracker.admit('stranger', foreign)).toBe('below-horizon');
  expect(tracker.admit('stranger', VersionVector.from([['old', 2]]))).toBe('observed');
  expect(
    tracker.observe(
      'a',
      VersionVector.from([
        ['old', 2],
        ['stranger', 1],
      ]),
    ),
  ).toBe('observed');
});

test('what somebody does to a horizon that was handed out moves no horizon', () => {
  const tracker = new StabilityTracker(['eu', 'us']);
  for (const member of ['eu', 'us']) tracker.observe(member, VersionVector.from([['eu', 2]]));
  const before = [...tracker.horizon.entries()];
  tracker.horizon.raise('eu', 99);
  expect([...tracker.horizon.entries()]).toEqual(before);
});

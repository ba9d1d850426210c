import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retentionTurn } from './retention.ts';
import type { SegmentState } from './retention.ts';
import type { Topic } from './topic.ts';

const topic: Topic = {
  name: 'changes',
  segments: [0, 1, 2, 3, 4, 5],
  retention: { keepMs: 4_000, keepBytes: 4_000 },
};
const control: Topic = {
  name: 'control',
  segments: [18],
  retention: { keepMs: Infinity, keepBytes: Infinity },
};

function states(...of: readonly (readonly [segment: number, openedAtMs: number, sizeBytes: number])[]) {
  return of.map(([segment, openedAtMs, sizeBytes]): SegmentState => ({ segment, openedAtMs, sizeBytes }));
}

test.each([
  ['a young and small one stays', states([2, 0, 10]), 100, { empty: null, next: null }],
  ['a full one is left for a free one', states([0, 0, 1_000]), 100, { empty: null, next: 1 }],
  ['an old one is left for a free one', states([0, 0, 10]), 1_000, { empty: null, next: 1 }],
  [
    'the oldest goes once the next has been open for the time to keep',
    states([3, 0, 9], [4, 50, 9]),
    4_050,
    { empty: 3, next: 0 },
  ],
  ['and not before', states([3, 0, 9], [4, 50, 9]), 4_049, { empty: null, next: 0 }],
  [
    'the oldest goes once all together are too large',
    states([5, 0, 3_500], [0, 10, 501]),
    20,
    { empty: 5, next: null },
  ],
  ['the only one never goes', states([5, 0, 9_000]), 90_000, { empty: null, next: 0 }],
  [
    'where none is free the oldest goes, and the full one is left in the next turn',
    states([1, 0, 1], [2, 1, 1], [3, 2, 1], [4, 3, 1], [5, 4, 1], [0, 5, 1_000]),
    10,
    { empty: 1, next: null },
  ],
])('%s', (_what, held, nowMs, expected) => {
  expect(retentionTurn(topic, { states: held, unemptied: [] }, nowMs)).toEqual(expected);
});

test('what was let go of and is not empty yet is not written to, and none goes for the lack of it', () => {
  expect(retentionTurn(topic, { states: states([0, 0, 1_000]), unemptied: [1] }, 100)).toEqual({
    empty: null,
    next: 2,
  });
  const held = states([1, 0, 1], [2, 1, 1], [3, 2, 1], [4, 3, 1], [0, 5, 1_000]);
  expect(retentionTurn(topic, { states: held, unemptied: [5] }, 10)).toEqual({ empty: null, next: null });
});

test('what is kept for ever stays', () => {
  expect(retentionTurn(control, { states: states([18, 0, 1e15]), unemptied: [] }, 1e15)).toEqual({
    empty: null,
    next: null,
  });
});

test('whatever is written, limits hold after every turn but for what one segment and one turn add (I12)', () => {
  const writes = fc.array(fc.record({ afterMs: fc.nat(1_500), bytes: fc.nat(600) }), { maxLength: 200 });
  fc.assert(
    fc.property(writes, (steps) => {
      let held = states([0, 0, 0]);
      let nowMs = 0;
      for (const { afterMs, bytes } of steps) {
        nowMs += afterMs;
        held = held.map((state, index) =>
          index === held.length - 1 ? { ...state, sizeBytes: state.sizeBytes + bytes } : state,
        );
        const { empty, next } = retentionTurn(topic, { states: held, unemptied: [] }, nowMs);
        expect(empty === null || empty !== held.at(-1)?.segment).toBe(true);
        held = held.filter(({ segment }) => segment !== empty);
        if (next !== null) {
          expect(held.map(({ segment }) => segment)).not.toContain(next);
          held = [...held, { segment: next, openedAtMs: nowMs, sizeBytes: 0 }];
        }
        const sum = held.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
        expect(sum).toBeLessThanOrEqual(topic.retention.keepBytes + 600);
      }
    }),
  );
});

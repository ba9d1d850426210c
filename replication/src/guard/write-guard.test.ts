import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import { type Budget, changesKnownForMs, judgeWrite, type PeerBacklog } from './write-guard.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');

function backlog(changes: Partial<PeerBacklog> = {}): PeerBacklog {
  return { peer: us, ageMs: 500, readAtMs: 1000, changes: { count: 3, knownAtMs: 1000 }, ...changes };
}

function budget(changes: Partial<Budget> = {}): Budget {
  return { kind: 'budget', seconds: 5, changes: 10, peers: 1, ...changes };
}

function judge(guard: Budget, backlogs: readonly PeerBacklog[], nowMs = 1000) {
  return judgeWrite(guard, eu, { backlogs, nowMs }).kind;
}

test('accept takes every write, whatever is known', () => {
  expect(judgeWrite({ kind: 'accept' }, eu, { backlogs: [], nowMs: 0 })).toEqual({ kind: 'accept' });
});

test('a home region binds always, and names itself', () => {
  const known = { backlogs: [backlog()], nowMs: 1000 };
  expect(judgeWrite({ kind: 'home-region', region: eu }, eu, known)).toEqual({ kind: 'accept' });
  const elsewhere = judgeWrite({ kind: 'home-region', region: us }, eu, known);
  expect(elsewhere).toEqual({ kind: 'not-home', home: us });
});

test('a budget is kept within both of its bounds', () => {
  expect(judge(budget(), [backlog()])).toBe('accept');
  expect(judge(budget(), [backlog({ ageMs: 5000 })])).toBe('accept');
  expect(judge(budget(), [backlog({ ageMs: 5001 })])).toBe('over-budget');
  expect(judge(budget(), [backlog({ changes: { count: 10, knownAtMs: 1000 } })])).toBe('accept');
  expect(judge(budget(), [backlog({ changes: { count: 11, knownAtMs: 1000 } })])).toBe('over-budget');
  expect(judge(budget({ seconds: null }), [backlog({ ageMs: null })])).toBe('accept');
  expect(judge(budget({ changes: null }), [backlog({ changes: null })])).toBe('accept');
});

test('what is unknown is outside', () => {
  expect(judge(budget(), [])).toBe('over-budget');
  expect(judge(budget(), [backlog({ ageMs: null })])).toBe('over-budget');
  expect(judge(budget(), [backlog({ changes: null })])).toBe('over-budget');
});

test('an age grows from where it was read, and a count is believed for a moment only', () => {
  expect(judge(budget({ changes: null }), [backlog()], 1000 + 4500)).toBe('accept');
  expect(judge(budget({ changes: null }), [backlog()], 1000 + 4501)).toBe('over-budget');
  expect(judge(budget({ seconds: null }), [backlog()], 1000 + changesKnownForMs)).toBe('accept');
  expect(judge(budget({ seconds: null }), [backlog()], 1001 + changesKnownForMs)).toBe('over-budget');
});

test('as many peers as the budget names must be within it', () => {
  const others = [backlog(), backlog({ peer: ap, ageMs: 60_000 })];
  expect(judge(budget({ peers: 1 }), others)).toBe('accept');
  expect(judge(budget({ peers: 2 }), others)).toBe('over-budget');
});

test('older figures never open a guard that younger ones keep shut', () => {
  const known = fc.record({
    peer: fc.constantFrom(us, ap),
    ageMs: fc.option(fc.nat(10_000)),
    readAtMs: fc.nat(5000),
    changes: fc.option(fc.record({ count: fc.nat(20), knownAtMs: fc.nat(5000) })),
  });
  const bound = fc.record({
    kind: fc.constant('budget' as const),
    seconds: fc.option(fc.integer({ min: 1, max: 10 })),
    changes: fc.option(fc.nat(20)),
    peers: fc.integer({ min: 1, max: 2 }),
  });
  fc.assert(
    fc.property(bound, fc.array(known, { maxLength: 3 }), fc.nat(10_000), (guard, backlogs, laterMs) => {
      if (judge(guard, backlogs, 5000) === 'over-budget')
        expect(judge(guard, backlogs, 5000 + laterMs)).toBe('over-budget');
    }),
    { numRuns: 2000 },
  );
});

import { expect, test } from 'vitest';
import type { ChangesRecord, StartRecord } from '../log/log-record.ts';
import { parseRegionId } from '../ports/identity.ts';
import { advance, isOpen, judge, passOver, readingOf, reread } from './reading.ts';
import type { Reading } from './reading.ts';

const incarnation = { counter: 1, nonce: 7 };
const origin = parseRegionId('eu') ?? expect.fail('eu is a region');

function changes(from: bigint, to: bigint, counter = 1): ChangesRecord {
  const head = {
    origin,
    incarnation: { ...incarnation, counter },
    partition: 0,
  };
  return { kind: 'changes', ...head, from, to, beats: [], changes: [] };
}

function start(at: bigint, counter = 1): StartRecord {
  return {
    kind: 'start',
    origin,
    incarnation: { ...incarnation, counter },
    partition: 0,
    partitionCount: 8,
    at,
  };
}

const live: Reading = readingOf({ incarnation, applied: 100n });

test('a record at or before the position is dropped', () => {
  expect(judge(live, changes(50n, 100n), 0n).kind).toBe('drop');
});

test('a record that reaches over the position is applied, whether or not it begins there', () => {
  expect(judge(live, changes(100n, 150n), 0n).kind).toBe('apply');
  expect(judge(live, changes(60n, 150n), 0n).kind).toBe('apply');
});

test('a record beyond the position is read again once, then it is a gap (I3)', () => {
  expect(judge(live, changes(120n, 150n), 9n).kind).toBe('reread');
  const rereading = reread(live, 12n);
  expect(judge(rereading, changes(120n, 150n), 9n).kind).toBe('drop');
  const step = judge(rereading, changes(160n, 170n), 11n);
  expect(step).toMatchObject({
    kind: 'gap',
    reading: { cause: 'missing-interval', applied: 100n, resumesAt: 160n },
  });
});

test('what reading again finds closes the hole', () => {
  const rereading = reread(live, 12n);
  expect(judge(rereading, changes(100n, 120n), 3n).kind).toBe('apply');
  const reading = isOpen(rereading) ? advance(rereading, 120n, 3n) : expect.fail('open');
  expect(reading.kind).toBe('rereading');
  expect(judge(reading, changes(120n, 150n), 9n).kind).toBe('apply');
  expect(advance(reading, 150n, 11n)).toEqual({
    kind: 'live',
    incarnation,
    applied: 150n,
  });
});

test('reading again ends at the end that the log had, also when the last record was old', () => {
  expect(passOver(reread(live, 12n), 10n).kind).toBe('rereading');
  expect(passOver(reread(live, 12n), 11n).kind).toBe('live');
});

test('a gap drops what does not fit and ends when a record fits', () => {
  const step = judge(reread(live, 10n), changes(120n, 150n), 9n);
  const gap = step.kind === 'gap' && isOpen(step.reading) ? step.reading : expect.fail(`got ${step.kind}`);
  expect(judge(gap, changes(150n, 160n), 10n).kind).toBe('drop');
  expect(judge(gap, changes(90n, 160n), 11n).kind).toBe('apply');
  expect(advance(gap, 160n, 11n)).toEqual({
    kind: 'live',
    incarnation,
    applied: 160n,
  });
});

test('without a position only the start of the incarnation opens the partition', () => {
  const unopened = readingOf(null);
  expect(judge(unopened, start(40n), 0n)).toMatchObject({
    kind: 'open',
    start: { at: 40n },
  });
  expect(judge(unopened, changes(40n, 60n), 0n)).toMatchObject({
    kind: 'gap',
    reading: { cause: 'no-position' },
  });
});

test('a start that repeats or is older changes nothing, a newer one opens a position of its own (P9)', () => {
  expect(judge(live, start(40n), 5n).kind).toBe('drop');
  const newer = readingOf({ incarnation: { counter: 2, nonce: 1 }, applied: 5n });
  expect(judge(newer, start(40n, 1), 5n).kind).toBe('drop');
  expect(judge(newer, changes(5n, 400n, 1), 5n).kind).toBe('drop');
  expect(judge(live, start(40n, 2), 5n)).toMatchObject({ kind: 'open', start: { at: 40n } });
  expect(judge(reread(live, 12n), start(40n, 2), 5n).kind).toBe('open');
});

test('changes of a newer incarnation without its start are read again once, then stop the partition (I3)', () => {
  const newer = changes(0n, 400n, 2);
  expect(judge(live, newer, 11n).kind).toBe('reread');
  expect(judge(reread(live, 12n), newer, 10n).kind).toBe('drop');
  expect(judge(reread(live, 12n), start(0n, 2), 9n).kind).toBe('open');
  expect(judge(reread(live, 12n), newer, 11n)).toMatchObject({
    kind: 'gap',
    reading: { cause: 'other-incarnation' },
  });
});

test('another incarnation of the same counter is nobody that one could follow', () => {
  const impostor: StartRecord = { ...start(40n), incarnation: { counter: 1, nonce: 8 } };
  expect(judge(live, impostor, 5n)).toMatchObject({ kind: 'gap', reading: { cause: 'other-incarnation' } });
});

test('a gap ends where a newer incarnation starts, also one without a position', () => {
  const missing = judge(reread(live, 10n), changes(120n, 150n), 9n);
  const gap = missing.kind === 'gap' ? missing.reading : expect.fail('a gap');
  expect(judge(gap, start(40n, 2), 10n).kind).toBe('open');
  expect(judge(gap, start(40n, 1), 10n).kind).toBe('drop');
  const cut = judge(readingOf(null), changes(40n, 60n), 0n);
  const unplaced = cut.kind === 'gap' ? cut.reading : expect.fail('a gap');
  expect(judge(unplaced, start(30n, 1), 1n).kind).toBe('drop');
  expect(judge(unplaced, start(40n, 2), 1n).kind).toBe('open');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HeardBeat } from '../ports/beat-store.ts';
import type { CountedBeat } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { PositionRow } from '../ports/record-store.ts';
import { countInNextEra } from '../change-count.ts';
import { type LagInput, lagOf as lagOfInput } from './lag.ts';
import { settledPositions } from './settled-positions.ts';

const origin = parseRegionId('eu') ?? expect.fail('eu is a region');
const first = { counter: 1, nonce: 5 };
const second = { counter: 2, nonce: 6 };
const startMs = 1_700_000_000_000;

function beat(number: number, count: number | null = number * 10): CountedBeat {
  return { number, count, atMs: startMs + number * 250, lsn: BigInt(number), end: BigInt(number) };
}

function row(partition: number, settledBeat: CountedBeat | null, incarnation = first): PositionRow {
  const settled = BigInt(settledBeat?.number ?? 0);
  return { origin, incarnation, partition, applied: settled, settled, beat: settledBeat, nextOffset: 0n };
}

function heard(number: number, receivedAtMs: number, incarnation = first): HeardBeat {
  return { origin, incarnation, beat: beat(number), receivedAtMs };
}

const lagOf = (input: Omit<LagInput, 'earlierOffsets' | 'told'> & Partial<Pick<LagInput, 'told'>>) =>
  lagOfInput({ told: null, ...input, earlierOffsets: [] });
const exact = { offsetMs: 0, errorMs: 0, measuredAtMs: startMs };
const nowMs = startMs + 3000;

test('it is the age of the newest beat settled in all partitions', () => {
  const positions = settledPositions([row(0, beat(9)), row(1, beat(4))], 2);
  expect(lagOf({ positions, heard: heard(10, nowMs), clockOffset: exact, nowMs })).toEqual({
    seconds: 2,
    backlogChanges: 60,
  });
});

test('the offset moves it onto the own clock', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const at = (offsetMs: number) =>
    lagOf({ positions, heard: null, clockOffset: { ...exact, offsetMs }, nowMs }).seconds;
  expect(at(1500)).toBe(0.5);
  expect(at(-1500)).toBe(3.5);
  expect(at(2500)).toBe(0);
  expect(at(60_000)).toBeNull();
});

test('a beat is told by the offset that held when it was made', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const at = (...earlierOffsets: LagInput['earlierOffsets']) =>
    lagOfInput({ positions, heard: null, told: null, clockOffset: exact, earlierOffsets, nowMs }).seconds;
  const old = { offsetMs: 1500, untilBeat: 4 };
  expect(at(old)).toBe(0.5);
  expect(at({ ...old, untilBeat: 3 })).toBe(2);
  expect(at({ offsetMs: 9000, untilBeat: 2 }, old, { offsetMs: 0, untilBeat: 9 })).toBe(0.5);
});

test('without position, beat or offset it is unknown and not zero', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const partial = settledPositions([row(0, beat(4))], 2);
  const beatless = settledPositions([row(0, beat(4)), row(1, null)], 2);
  expect(partial).toBeNull();
  const seconds = (input: Partial<Parameters<typeof lagOf>[0]>) =>
    lagOf({ positions, heard: null, clockOffset: exact, nowMs, ...input }).seconds;
  expect(seconds({})).toBe(2);
  expect(seconds({ positions: partial })).toBeNull();
  expect(seconds({ positions: beatless })).toBeNull();
  expect(seconds({ clockOffset: null })).toBeNull();
});

test('only the newest incarnation counts, and one without positions leaves everything unknown', () => {
  const rows = [row(0, beat(9)), row(0, beat(2), second)];
  expect(settledPositions(rows, 1)?.beat?.number).toBe(2);
  expect(settledPositions([row(0, beat(9)), row(1, beat(9)), row(0, beat(1), second)], 2)).toBeNull();
  const positions = settledPositions([row(0, beat(9))], 1);
  expect(lagOf({ positions, heard: heard(1, nowMs, second), clockOffset: exact, nowMs })).toEqual({
    seconds: null,
    backlogChanges: null,
  });
});

test('the backlog is unknown once nothing has been heard for two seconds, or without counts', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const backlog = (told: HeardBeat | null, at = positions) =>
    lagOf({ positions: at, heard: told, clockOffset: exact, nowMs }).backlogChanges;
  expect(backlog(heard(4, nowMs - 2000))).toBe(0);
  expect(backlog(heard(4, nowMs - 2001))).toBeNull();
  expect(backlog(null)).toBeNull();
  expect(backlog({ ...heard(5, nowMs), beat: beat(5, null) })).toBeNull();
  expect(backlog(heard(5, nowMs), settledPositions([row(0, beat(4, null))], 1))).toBeNull();
});

test('what the origin tells of its log counts beside the newest beat that has arrived, the greater of the two', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const backlog = (
    told: { count: number; agoMs?: number; incarnation?: typeof first },
    beats: HeardBeat | null = heard(6, nowMs),
  ) => {
    const { count, agoMs = 0, incarnation = first } = told;
    const said = { incarnation, count, receivedAtMs: nowMs - agoMs };
    return lagOf({ positions, heard: beats, told: said, clockOffset: exact, nowMs }).backlogChanges;
  };
  expect(backlog({ count: 500 })).toBe(460);
  expect(backlog({ count: 500 }, heard(6, nowMs - 5000))).toBe(460);
  expect(backlog({ count: 500 }, null)).toBe(460);
  expect(backlog({ count: 50 })).toBe(20);
  expect(backlog({ count: 500, agoMs: 2001 })).toBe(20);
  expect(backlog({ count: 500, agoMs: 2001 }, null)).toBeNull();
  expect(backlog({ count: 500, incarnation: { counter: 1, nonce: 9 } })).toBe(20);
  expect(backlog({ count: countInNextEra(500) })).toBeNull();
});

test('the backlog is unknown where the newest beat that came was made long before, by the clock of its origin', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const backlog = (offsetMs: number, known = true): number | null => {
    const clockOffset = known ? { ...exact, offsetMs } : null;
    return lagOf({ positions, heard: heard(5, nowMs), told: null, clockOffset, nowMs }).backlogChanges;
  };
  expect(backlog(0)).toBe(10);
  expect(backlog(-250)).toBe(10);
  expect(backlog(-251)).toBeNull();
  expect(backlog(0, false), 'the clocks are not known').toBeNull();
});

test('the backlog is unknown where changes were lost uncounted between what is settled and what is heard', () => {
  const positions = settledPositions([row(0, beat(4))], 1);
  const afterLoss = { ...heard(5, nowMs), beat: beat(5, countInNextEra(40)) };
  expect(lagOf({ positions, heard: afterLoss, clockOffset: exact, nowMs }).backlogChanges).toBeNull();
});

test('it is never lower than the age of the oldest change not settled, but for the error of the offset', () => {
  const partitionCount = 3;
  const world = fc.record({
    commits: fc.array(fc.record({ atMs: fc.nat({ max: 10_000 }), partition: fc.nat({ max: 2 }) }), {
      maxLength: 60,
    }),
    settled: fc.array(fc.integer({ min: 1, max: 40 }), {
      minLength: partitionCount,
      maxLength: partitionCount,
    }),
    aheadMs: fc.integer({ min: -100_000, max: 100_000 }),
    errorMs: fc.nat({ max: 500 }),
    wrongBy: fc.double({ min: -1, max: 1, noNaN: true }),
    laterMs: fc.nat({ max: 100_000 }),
  });
  fc.assert(
    fc.property(world, ({ commits, settled, aheadMs, errorMs, wrongBy, laterMs }) => {
      const rows = settled.map((number, partition) => row(partition, beat(number)));
      const ownNowMs = startMs + 10_000 + laterMs + aheadMs;
      const clockOffset = { offsetMs: aheadMs + wrongBy * errorMs, errorMs, measuredAtMs: ownNowMs };
      const positions = settledPositions(rows, partitionCount);
      const { seconds } = lagOf({ positions, heard: null, clockOffset, nowMs: ownNowMs });
      const missing = commits.filter(({ atMs, partition }) => atMs >= (settled[partition] ?? 0) * 250);
      const oldestMs = Math.min(...missing.map(({ atMs }) => atMs));
      if (seconds === null) throw new TypeError('unknown with everything given');
      expect(seconds * 1000 + errorMs + 1e-3).toBeGreaterThanOrEqual(10_000 + laterMs - oldestMs);
    }),
    { numRuns: 2000 },
  );
});

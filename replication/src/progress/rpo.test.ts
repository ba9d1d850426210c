import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countInNextEra } from '../change-count.ts';
import type { OwnBeats, RpoFigures } from '../ports/beat-store.ts';
import type { CountedBeat } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import { rpoOfLog, rpoOfPeer, rpoOfRegion } from './rpo.ts';

const peer = parseRegionId('us') ?? expect.fail('us is a region');
const startMs = 1_700_000_000_000;

function beat(number: number, count: number | null): CountedBeat {
  return { number, count, atMs: startMs + number * 250, lsn: BigInt(number), end: BigInt(number) };
}

/** The figures as P7 words them, over a list of beats that the relay has counted. */
function figures(counted: readonly CountedBeat[], settledBeat: number | null): RpoFigures {
  const settled = counted.find(({ number }) => number === settledBeat);
  if (settled === undefined || settled.count === null) return { peer, coveredAtMs: null, settledCount: null };
  const covered = counted.findLast(({ count }) => count === settled.count);
  return { peer, coveredAtMs: covered?.atMs ?? null, settledCount: settled.count };
}

function own(counted: readonly CountedBeat[], newest: CountedBeat | null = null): OwnBeats {
  const newestCounted = counted.at(-1) ?? null;
  return { newest: newest ?? newestCounted, newestCounted, logCoveredAtMs: null, logCount: null };
}

test('while nobody writes it stays at the age of the newest counted beat', () => {
  const counted = [beat(1, 0), beat(2, 5), beat(3, 5), beat(4, 5)];
  const rpo = rpoOfPeer(figures(counted, 2), own(counted), startMs + 1100);
  expect(rpo).toEqual({ seconds: 0.1, changes: 0, replicatedThroughMs: startMs + 1000 });
});

test('with writes it goes back to the last beat that the peer has settled', () => {
  const counted = [beat(1, 0), beat(2, 5), beat(3, 6), beat(4, 9)];
  const rpo = rpoOfPeer(figures(counted, 2), own(counted), startMs + 1100);
  expect(rpo).toEqual({ seconds: 0.6, changes: 4, replicatedThroughMs: startMs + 500 });
});

test('a peer never heard, or a settled beat not counted, is unknown and not zero', () => {
  const counted = [beat(1, null), beat(2, 5)];
  const unknown = { seconds: null, changes: null, replicatedThroughMs: null };
  expect(rpoOfPeer(null, own(counted), startMs + 500)).toEqual(unknown);
  expect(rpoOfPeer(figures(counted, null), own(counted), startMs + 500)).toEqual(unknown);
  expect(rpoOfPeer(figures(counted, 1), own(counted), startMs + 500)).toEqual(unknown);
  expect(rpoOfLog(own(counted), startMs + 500)).toEqual(unknown);
});

test('a dead relay makes it grow although beats are young, and the changes unknown', () => {
  const counted = [beat(1, 0), beat(2, 0)];
  const beats = own(counted, beat(400, null));
  const rpo = rpoOfPeer(figures(counted, 2), beats, startMs + 100_000);
  expect(rpo).toEqual({ seconds: 99.5, changes: null, replicatedThroughMs: startMs + 500 });
});

test('a clock that was set back while no beat was made says nothing of ages before the next beat', () => {
  const counted = [beat(1, 0), beat(2, 5), beat(40, 6)];
  // By what is left of it, the beat that the peer has settled is of this very moment.
  const beats = { ...own(counted), logCoveredAtMs: startMs + 500, logCount: 5 };
  for (const rpo of [rpoOfPeer(figures(counted, 2), beats, startMs + 500), rpoOfLog(beats, startMs + 500)])
    expect(rpo).toEqual({ seconds: null, changes: null, replicatedThroughMs: null });
  expect(rpoOfPeer(figures(counted, 2), beats, startMs + 9500).seconds).toBe(9);
});

test('changes are unknown while the peer stands before a loss that nobody counted, and known beyond it', () => {
  const after = countInNextEra(5);
  const counted = [beat(1, 3), beat(2, 5), beat(3, after), beat(4, after + 2)];
  const at = startMs + 1000;
  expect(rpoOfPeer(figures(counted, 2), own(counted), at)).toMatchObject({ seconds: 0.5, changes: null });
  expect(rpoOfPeer(figures(counted, 3), own(counted), at)).toMatchObject({ seconds: 0.25, changes: 2 });
});

test('changes are known up to two beat intervals after the newest counted beat', () => {
  const counted = [beat(1, 3), beat(2, 7)];
  const at = startMs + 500;
  expect(rpoOfPeer(figures(counted, 1), own(counted), at + 500).changes).toBe(4);
  expect(rpoOfPeer(figures(counted, 1), own(counted), at + 501).changes).toBeNull();
});

test('changes are unknown while the newest beat lies ahead: the counted one is older than it seems', () => {
  const counted = [beat(1, 3), beat(2, 7)];
  const at = startMs + 600;
  expect(rpoOfPeer(figures(counted, 1), own(counted), at).changes).toBe(4);
  expect(rpoOfPeer(figures(counted, 1), own(counted, beat(20, null)), at).changes).toBeNull();
});

test('a newest beat without a count leaves the changes unknown', () => {
  const counted = [beat(1, 3)];
  const beats = { ...own(counted), newestCounted: beat(2, null) };
  expect(rpoOfPeer(figures(counted, 1), beats, startMs + 500).changes).toBeNull();
});

test('a clock that was set back makes it unknown, not zero', () => {
  const counted = [beat(1, 3)];
  expect(rpoOfPeer(figures(counted, 1), own(counted), startMs - 3_600_000).seconds).toBeNull();
  expect(rpoOfPeer(figures(counted, 1), own(counted), startMs + 249).seconds).toBe(0);
});

test('the own log is judged by the same formula', () => {
  const beats = { ...own([beat(1, 3), beat(2, 7)]), logCoveredAtMs: startMs + 250, logCount: 3 };
  expect(rpoOfLog(beats, startMs + 600)).toEqual({
    seconds: 0.35,
    changes: 4,
    replicatedThroughMs: startMs + 250,
  });
});

test("a region's is the least over its peers, unknown ones aside", () => {
  const known = (seconds: number) => ({ seconds, changes: 1, replicatedThroughMs: 5 });
  const unknown = { seconds: null, changes: null, replicatedThroughMs: null };
  expect(rpoOfRegion([unknown, known(9), known(3), unknown]).seconds).toBe(3);
  expect(rpoOfRegion([unknown]).seconds).toBeNull();
  expect(rpoOfRegion([]).seconds).toBeNull();
});

test('it is never lower than what would be lost (I5), counts exactly, and grows by the wall clock (I10)', () => {
  const history = fc.record({
    commitsMs: fc.array(fc.integer({ min: 1, max: 9999 }), { maxLength: 40 }),
    beats: fc.integer({ min: 1, max: 40 }),
    uncounted: fc.nat({ max: 40 }),
    unsettled: fc.nat({ max: 40 }),
    laterMs: fc.nat({ max: 60_000 }),
  });
  fc.assert(
    fc.property(history, ({ commitsMs, beats, uncounted, unsettled, laterMs }) => {
      const sorted = commitsMs.toSorted((a, b) => a - b).filter((at) => at % 250 !== 0);
      const before = (number: number) => sorted.filter((at) => at < number * 250).length;
      const newestCounted = beats - uncounted;
      const counted: CountedBeat[] = [];
      for (let number = 1; number <= newestCounted; number++) counted.push(beat(number, before(number)));
      const settled = Math.max(0, newestCounted - unsettled);
      const nowMs = Math.max(beats * 250, sorted.at(-1) ?? 0) + laterMs;
      const rpo = rpoOfPeer(figures(counted, settled), own(counted), startMs + nowMs);

      const missing = sorted.filter((at) => at > settled * 250);
      const [oldest] = missing;
      if (settled === 0) expect(rpo.seconds).toBeNull();
      else if (oldest !== undefined) expect(rpo.seconds).toBeGreaterThanOrEqual((nowMs - oldest) / 1000);
      if (rpo.changes !== null)
        expect(rpo.changes).toBe(missing.filter((at) => at < newestCounted * 250).length);
      if (rpo.seconds === null) return;
      const later = rpoOfPeer(figures(counted, settled), own(counted), startMs + nowMs + 7000);
      expect(later.seconds).toBeCloseTo(rpo.seconds + 7, 6);
    }),
    { numRuns: 2000 },
  );
});

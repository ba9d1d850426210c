import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { OffsetNews } from './clock-excuse.ts';
import { RegionClock } from './region-clock.ts';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

const own = parseRegionId('us') ?? expect.fail('us is a region');
const peer = parseRegionId('eu') ?? expect.fail('eu is a region');

/** Two clocks, and what the region `us` sees of the offset to that of `eu`. */
class Pair {
  trueMs = 0;
  readonly here = { id: own, clock: new RegionClock(() => this.trueMs, 3000, 0) };
  readonly there = { id: peer, clock: new RegionClock(() => this.trueMs, 0, 0) };
  readonly offsets = new OffsetNews();

  see({ measuredAgoMs = 0, errorMs = 5 } = {}): void {
    const ownMs = this.here.clock.nowMs();
    const offset = { offsetMs: 3000, errorMs, measuredAtMs: ownMs - measuredAgoMs };
    this.offsets.note(own, peer, { offset, nowMs: this.trueMs, ownMs });
  }

  get isKnown(): boolean {
    return this.offsets.knowsOffset(this.here, this.there);
  }
}

test('an offset that is seen late, because a database stood still, is known from when it was measured', () => {
  const pair = new Pair();
  pair.see();
  pair.trueMs = 10_000;
  pair.there.clock.jump(4000);
  pair.trueMs = 30_000;
  pair.see({ measuredAgoMs: 21_000 });
  expect(pair.isKnown).toBe(false);
  pair.trueMs = 31_000;
  pair.see({ measuredAgoMs: 500 });
  expect(pair.isKnown).toBe(true);
});

test('an offset whose echo waited for a link speaks for the time in which the echo left', () => {
  const pair = new Pair();
  pair.trueMs = 20_000;
  pair.there.clock.jump(-4000);
  pair.trueMs = 30_000;
  pair.see({ errorMs: 3000 });
  expect(pair.isKnown).toBe(false);
  pair.trueMs = 31_000;
  pair.see();
  expect(pair.isKnown).toBe(true);
});

test('of a clock that was set before anything was measured nobody can tell the beats before', () => {
  const pair = new Pair();
  pair.trueMs = 10_000;
  pair.there.clock.jump(-4000);
  pair.trueMs = 20_000;
  pair.see();
  expect(pair.offsets.tangledAtMs(pair.here, pair.there)).toBe(10_000);
  pair.trueMs = 30_000;
  pair.there.clock.jump(-4000);
  expect(pair.offsets.tangledAtMs(pair.here, pair.there)).toBe(10_000);
});

test('a beat may be told as too old by what a clock was set back by, until as long after the echo', () => {
  const pair = new Pair();
  pair.trueMs = 10_000;
  pair.there.clock.jump(-4000);
  pair.trueMs = 15_000;
  pair.see();
  const told = [9999, 10_001, 19_000, 19_001].map((beatAtMs) =>
    pair.offsets.setBackMs(pair.here, pair.there, beatAtMs),
  );
  expect(told).toEqual([0, 4000, 4000, 0]);
});

test('a database that was down twice has been silent since it first was', () => {
  const pair = new Pair();
  const told = (): number => pair.offsets.setBackMs(pair.here, pair.there, 9000);
  pair.trueMs = 10_000;
  pair.here.clock.jump(4000);
  pair.trueMs = 10_800;
  pair.here.clock.fellSilent();
  pair.trueMs = 14_000;
  pair.here.clock.fellSilent();
  pair.trueMs = 15_000;
  pair.here.clock.answers();
  expect(told()).toBe(4000);
  pair.trueMs = 24_000;
  pair.here.clock.answers();
  expect(pair.here.clock.noticedAtMs, 'when the first would have been over').toBe(15_000);
});

test('a process that goes on while its database is silent could not read the clock until that answers', () => {
  const pair = new Pair();
  const { clock } = pair.here;
  pair.trueMs = 10_000;
  clock.jump(-4000);
  pair.trueMs = 14_000;
  clock.fellSilent();
  pair.trueMs = 15_000;
  clock.heardAgain(9000);
  pair.trueMs = 20_000;
  clock.answers();
  expect(clock.noticedAtMs).toBe(20_000);
  pair.trueMs = 20_500;
  clock.heardAgain(20_100);
  expect(clock.noticedAtMs, 'stopped again before it had read').toBe(20_500);
  pair.trueMs = 30_000;
  clock.heardAgain(29_000);
  expect(clock.noticedAtMs, 'it had long read it').toBe(20_500);
});

test('ages of what was written before a clock was set ahead are too high by that, and no others', () => {
  const pair = new Pair();
  const { clock } = pair.here;
  for (const [atMs, byMs] of [
    [10_000, 4000],
    [12_000, -4000],
    [20_000, 7000],
  ] as const) {
    pair.trueMs = atMs;
    clock.jump(byMs);
  }
  expect([9000, 11_000, 21_000].map((sinceMs) => clock.setAheadMs(sinceMs))).toEqual([11_000, 7000, 0]);
});

test('an own clock that was set ahead excuses the same only where nobody could look while it was', () => {
  const pair = new Pair();
  const told = (beatAtMs = 11_000): number => pair.offsets.setBackMs(pair.here, pair.there, beatAtMs);
  pair.trueMs = 10_000;
  pair.here.clock.jump(4000);
  pair.trueMs = 10_500;
  expect(told()).toBe(0);
  pair.here.clock.heardAgain(11_501);
  expect(told()).toBe(0);
  pair.here.clock.heardAgain(9000);
  pair.trueMs = 15_000;
  pair.see();
  expect(told()).toBe(4000);
  expect(told(9000)).toBe(4000);
  expect(told(20_000)).toBe(0);
});

test('what was measured after the copy was taken is forgotten by a database that was set back to it', () => {
  const pair = new Pair();
  const told = (): number => pair.offsets.setBackMs(pair.here, pair.there, 30_000);
  pair.trueMs = 10_000;
  pair.here.clock.jump(4000);
  pair.trueMs = 15_000;
  pair.see();
  pair.here.clock.heardAgain(9000);
  pair.offsets.setBack(peer, 9000);
  expect(told(), 'another region').toBe(0);
  pair.offsets.setBack(own, 15_000);
  expect(told(), 'the copy holds it').toBe(0);
  pair.offsets.setBack(own, 9000);
  expect(told()).toBe(4000);
});

test('what a clock was set ahead by excuses only where a process began, and nothing was measured in between', () => {
  const pair = new Pair();
  const told = (beatAtMs = 19_000): number => pair.offsets.setAheadMs(pair.here, pair.there, beatAtMs);
  pair.here.clock.takenUp();
  pair.trueMs = 10_000;
  pair.see();
  pair.trueMs = 20_000;
  pair.there.clock.jump(4000);
  expect(told()).toBe(0);
  pair.trueMs = 22_000;
  pair.here.clock.takenUp();
  expect(told()).toBe(4000);
  expect(told(20_001)).toBe(0);
  pair.trueMs = 30_000;
  pair.see();
  pair.trueMs = 31_000;
  pair.there.clock.jump(4000);
  expect(told(29_000)).toBe(0);
});

test('a process that was stopped again while it stood has stood since the first time', async () => {
  const options = { regions: 2, seconds: null, isHealing: true, faults: null };
  const { faults, ...drawn } = drawScenario(763482, options);
  const slow = faults.filter(({ kind, atMs }) => kind === 'slow-link' && atMs < 5000);
  const us = { region: 1, other: 0, level: 0.82 };
  const standing: readonly Fault[] = [
    { ...us, kind: 'clock-far-ahead', atMs: 7178.7, forMs: 1217.7 },
    { ...us, kind: 'stop', atMs: 8629.2, forMs: 16_691.8 },
    { ...us, kind: 'stop', atMs: 17_333.2, forMs: 356.5 },
  ];
  const { violations } = await runScenario({
    ...drawn,
    faults: [...slow, ...standing],
    operations: [],
    durationMs: 25_322,
  });
  expect(violations).toEqual([]);
});

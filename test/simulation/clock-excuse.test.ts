import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { OffsetNews } from './clock-excuse.ts';
import { RegionClock } from './region-clock.ts';

const own = parseRegionId('us') ?? expect.fail('us is a region');
const peer = parseRegionId('eu') ?? expect.fail('eu is a region');

test('an offset that is seen late, because a database stood still, is known from when it was measured', () => {
  let trueMs = 0;
  const here = { id: own, clock: new RegionClock(() => trueMs, 3000, 0) };
  const there = { id: peer, clock: new RegionClock(() => trueMs, 0, 0) };
  const offsets = new OffsetNews();
  const see = (measuredAgoMs: number): void => {
    const ownMs = here.clock.nowMs();
    const offset = { offsetMs: 3000, errorMs: 5, measuredAtMs: ownMs - measuredAgoMs };
    offsets.note(own, peer, { offset, nowMs: trueMs, ownMs });
  };
  see(0);
  trueMs = 10_000;
  there.clock.jump(4000);
  trueMs = 30_000;
  see(21_000);
  expect(offsets.knowsOffset(here, there)).toBe(false);
  trueMs = 31_000;
  see(500);
  expect(offsets.knowsOffset(here, there)).toBe(true);
});

test('an offset whose echo waited for a link speaks for the time in which the echo left', () => {
  let trueMs = 0;
  const here = { id: own, clock: new RegionClock(() => trueMs, 0, 0) };
  const there = { id: peer, clock: new RegionClock(() => trueMs, 0, 0) };
  const offsets = new OffsetNews();
  const see = (errorMs: number): void => {
    const ownMs = here.clock.nowMs();
    offsets.note(own, peer, { offset: { offsetMs: 0, errorMs, measuredAtMs: ownMs }, nowMs: trueMs, ownMs });
  };
  trueMs = 20_000;
  there.clock.jump(-4000);
  trueMs = 30_000;
  see(3000);
  expect(offsets.knowsOffset(here, there)).toBe(false);
  trueMs = 31_000;
  see(5);
  expect(offsets.knowsOffset(here, there)).toBe(true);
});

test('of a clock that was set before anything was measured nobody can tell the beats before', () => {
  let trueMs = 10_000;
  const here = { id: own, clock: new RegionClock(() => trueMs, 0, 0) };
  const there = { id: peer, clock: new RegionClock(() => trueMs, 0, 0) };
  const offsets = new OffsetNews();
  const see = (): void => {
    const ownMs = here.clock.nowMs();
    offsets.note(own, peer, {
      offset: { offsetMs: 0, errorMs: 5, measuredAtMs: ownMs },
      nowMs: trueMs,
      ownMs,
    });
  };
  there.clock.jump(-4000);
  trueMs = 20_000;
  see();
  expect(offsets.tangledAtMs(here, there)).toBe(10_000);
  trueMs = 30_000;
  there.clock.jump(-4000);
  expect(offsets.tangledAtMs(here, there)).toBe(10_000);
});

test('a beat may be told as too old by what a clock was set back by, until as long after the echo', () => {
  let trueMs = 0;
  const here = { id: own, clock: new RegionClock(() => trueMs, 3000, 0) };
  const there = { id: peer, clock: new RegionClock(() => trueMs, 0, 0) };
  const offsets = new OffsetNews();
  trueMs = 10_000;
  there.clock.jump(-4000);
  trueMs = 15_000;
  const ownMs = here.clock.nowMs();
  const offset = { offsetMs: 7000, errorMs: 5, measuredAtMs: ownMs };
  offsets.note(own, peer, { offset, nowMs: trueMs, ownMs });
  const told = [9999, 10_001, 19_000, 19_001].map((beatAtMs) => offsets.setBackMs(here, there, beatAtMs));
  expect(told).toEqual([0, 4000, 4000, 0]);
});

import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import { parseRegionId } from '../ports/identity.ts';
import { GuardWatch } from './guard-watch.ts';
import type { Guard } from './write-guard.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const wallMs = 1_700_000_000_000;
const always = Number.POSITIVE_INFINITY;

/** Beats are counted all the time; the peer confirms what there was until the test says otherwise. */
class World {
  readonly timer = new ManualTimer();
  confirmedUntilMs = always;
  countedUntilMs = always;
  setBackMs = 0;
  isDown = false;
  reads = 0;

  readonly watch: GuardWatch;

  constructor(guard: Guard) {
    this.watch = new GuardWatch({
      region: eu,
      peers: [us],
      guards: new Map([['orders', guard]]),
      clock: { nowMs: () => wallMs + this.timer.monotonicMs() - this.setBackMs },
      timer: this.timer,
      beats: {
        overview: async () => {
          this.reads++;
          if (this.isDown) throw new ReplicationError('database-unavailable', 'down', { retriable: true });
          const settledAtMs = Math.min(this.timer.monotonicMs(), this.confirmedUntilMs);
          const settledCount = Math.floor(settledAtMs / 100);
          const countedAtMs = Math.min(this.timer.monotonicMs(), this.countedUntilMs);
          const beat = { number: 1, atMs: wallMs + countedAtMs, lsn: 1n };
          const newestCounted = { ...beat, count: Math.floor(countedAtMs / 100), end: 1n };
          return {
            rpo: [{ peer: us, coveredAtMs: wallMs + settledAtMs, settledCount }],
            own: { newest: beat, newestCounted, logCoveredAtMs: null, logCount: null },
            heard: [],
            progress: [],
            positions: [],
          };
        },
      },
    });
    this.watch.start();
  }

  get kind(): string {
    return this.watch.judge('orders').kind;
  }
}

const seconds: Guard = { kind: 'budget', seconds: 2, changes: null, peers: 1 };
const changes: Guard = { kind: 'budget', seconds: null, changes: 10, peers: 1 };

test('a clock that was set back since the newest beat makes nothing young that is old', async () => {
  const world = new World(seconds);
  world.confirmedUntilMs = 5000;
  await world.timer.advance(10_000);
  expect(world.kind).toBe('over-budget');
  world.setBackMs = 5000;
  await world.timer.advance(250);
  expect(world.kind).toBe('over-budget');
});

test('before anything was read nothing passes, and soon after it everything does', async () => {
  const world = new World(seconds);
  expect(world.kind).toBe('over-budget');
  await world.timer.advance(1);
  expect(world.kind).toBe('accept');
  expect(world.watch.judge('another')).toEqual({ kind: 'accept' });
});

test.each([
  [seconds, 2000],
  [changes, 1000],
])(
  'a budget %o refuses within %i ms and one refresh once nothing is confirmed, and opens after',
  async (guard, ms) => {
    const world = new World(guard);
    await world.timer.advance(5000);
    world.confirmedUntilMs = 5000;
    await world.timer.advance(ms - 250);
    expect(world.kind).toBe('accept');
    await world.timer.advance(600);
    expect(world.kind).toBe('over-budget');
    world.confirmedUntilMs = always;
    await world.timer.advance(250);
    expect(world.kind).toBe('accept');
  },
);

test('a database that is away leaves the last figures, which grow old', async () => {
  const world = new World(seconds);
  await world.timer.advance(5000);
  world.isDown = true;
  await world.timer.advance(1000);
  expect(world.kind).toBe('accept');
  await world.timer.advance(1500);
  expect(world.kind).toBe('over-budget');
});

test('a process that was stopped refuses until it has read anew', async () => {
  const world = new World(seconds);
  await world.timer.advance(5000);
  world.timer.pause(10_000);
  expect(world.kind).toBe('over-budget');
  await world.timer.advance(250);
  expect(world.kind).toBe('accept');
});

test('counts that a late beat leaves unknown are believed for a second', async () => {
  const world = new World(changes);
  await world.timer.advance(5000);
  world.countedUntilMs = 5000;
  await world.timer.advance(1200);
  expect(world.kind).toBe('accept');
  await world.timer.advance(1000);
  expect(world.kind).toBe('over-budget');
});

test('without a budget it reads nothing', async () => {
  const world = new World({ kind: 'home-region', region: us });
  await world.timer.advance(5000);
  expect(world.reads).toBe(0);
  expect(world.watch.judge('orders')).toEqual({ kind: 'not-home', home: us });
});

import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import type { Overview } from '../ports/beat-store.ts';
import { parseRegionId } from '../ports/identity.ts';
import { LinkWatch } from './link-watch.ts';
import { leastApplied } from './position-marks.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 5 };
const always = Number.POSITIVE_INFINITY;

/** Tables and one peer in a world where every link works until the test says otherwise; beat n is at n * 250 ms. */
class World {
  readonly timer = new ManualTimer();
  /** Own beats come as seldom as this, each with the next number. */
  ownIntervalMs = 250;
  ownUntilMs = always;
  ticksUntilMs = always;
  progressUntilMs = always;
  changesUntilMs = always;
  echoesUntilMs = always;
  pingEchoesUntilMs = -1;
  answers = true;
  peerChangesAgeMs: number | null = 100;
  database: 'up' | 'down' | 'hangs' = 'up';
  wallMs = 1_700_000_000_000;
  pings = 0;

  readonly watch = new LinkWatch({
    peers: [us],
    partitionCount: 2,
    timer: this.timer,
    beatIntervalMs: 250,
    client: {
      ping: async () => {
        this.pings++;
        if (this.answers) {
          const echoedBeat = this.#ownBeat(this.pingEchoesUntilMs);
          return { echoedBeat, changesAgeMs: this.peerChangesAgeMs, written: null, namesCaller: true };
        }
        await new Promise<void>((resolve) => this.timer.after(1000, resolve));
        return null;
      },
    },
    beats: { overview: () => this.#read(() => this.#overview()) },
  });

  #overview(): Overview {
    const newest = { number: this.#ownBeat(this.ownUntilMs), atMs: 0, lsn: 1n };
    return {
      rpo: [],
      own: { newest, newestCounted: null, logCoveredAtMs: null, logCount: null },
      heard: [this.#tick()],
      progress: [
        {
          peer: us,
          peerIncarnation: incarnation,
          settled: null,
          settledBeat: null,
          echoedBeat: this.#ownBeat(Math.min(this.echoesUntilMs, this.ownUntilMs)),
          heardAtMs: this.wallMs + Math.min(this.timer.monotonicMs(), this.progressUntilMs),
          clockOffset: null,
          publishedCount: null,
          earlierOffsets: [],
        },
      ],
      positions: [0, 1].map((partition) => this.#position(partition)),
    };
  }

  get kind(): string {
    return this.watch.links[0]?.state.kind ?? 'none';
  }

  cutIn(): void {
    const nowMs = this.timer.monotonicMs();
    [this.ticksUntilMs, this.progressUntilMs, this.changesUntilMs] = [nowMs, nowMs, nowMs];
    this.echoesUntilMs = nowMs;
  }

  heal(): void {
    [this.ticksUntilMs, this.progressUntilMs, this.changesUntilMs] = [always, always, always];
    this.echoesUntilMs = always;
    this.answers = true;
    this.database = 'up';
  }

  #tick() {
    const number = this.#beat(this.ticksUntilMs);
    const beat = { number, count: 0, atMs: number * 250, lsn: 1n, end: 1n };
    return { origin: us, incarnation, beat, receivedAtMs: number * 250 };
  }

  #position(partition: number) {
    const applied = BigInt(this.#beat(this.changesUntilMs) + partition);
    return { origin: us, incarnation, partition, applied, settled: applied, beat: null, nextOffset: 0n };
  }

  #beat(untilMs: number, intervalMs = 250): number {
    return Math.max(0, Math.floor(Math.min(this.timer.monotonicMs(), untilMs) / intervalMs));
  }

  #ownBeat(untilMs: number): number {
    return this.#beat(untilMs, this.ownIntervalMs);
  }

  async #read<T>(answer: () => T): Promise<T> {
    await Promise.resolve();
    if (this.database === 'hangs') await new Promise(() => undefined);
    if (this.database === 'down')
      throw new ReplicationError('database-unavailable', 'down', { retriable: true });
    return answer();
  }
}

async function connected(): Promise<World> {
  const world = new World();
  world.watch.start();
  await world.timer.advance(6000);
  expect(world.kind).toBe('connected');
  return world;
}

test('asks every peer twice a second', async () => {
  const world = await connected();
  expect(world.pings).toBe(13);
  const stopped = world.watch.stop();
  await world.timer.advance(5000);
  await stopped;
  expect(world.pings).toBe(13);
});

test('after the start it is connected within three seconds, and not before beats have gone round', async () => {
  const world = new World();
  world.watch.start();
  await world.timer.advance(1500);
  expect(world.kind).toBe('suspected');
  await world.timer.advance(1500);
  expect(world.kind).toBe('connected');
});

test('what tables hold from before the start is no sign of life', async () => {
  const world = new World();
  await world.timer.advance(10_000);
  world.cutIn();
  world.watch.start();
  await world.timer.advance(30_000);
  expect(world.watch.links[0]?.signals).toMatchObject({ tickAgeMs: null, dataAgeMs: null });
  expect(world.kind).toBe('stalled');
});

test('a cut of both directions is partitioned within seconds, and heals within three', async () => {
  const world = await connected();
  world.cutIn();
  world.answers = false;
  await world.timer.advance(3001);
  expect(world.kind).toBe('suspected');
  await world.timer.advance(4000);
  expect(world.kind).toBe('partitioned');
  world.heal();
  await world.timer.advance(1000);
  expect(world.kind).toBe('healing');
  await world.timer.advance(2000);
  expect(world.kind).toBe('connected');
});

test('when only what comes in is cut, the echo by request tells the direction', async () => {
  const world = await connected();
  world.cutIn();
  world.pingEchoesUntilMs = always;
  await world.timer.advance(8000);
  expect(world.kind).toBe('one-way-in');
});

test('when only what goes out is cut, ticks go on and nothing of ours is echoed', async () => {
  const world = await connected();
  world.echoesUntilMs = 6000;
  world.answers = false;
  await world.timer.advance(8500);
  expect(world.kind).toBe('one-way-out');
});

// P7: where commits are slow, beats whose time has passed fall out.
test.each([250, 500, 1000, 2000])(
  'a cut of what goes out is named as soon where own beats come every %i ms',
  async (ownIntervalMs) => {
    const world = new World();
    world.ownIntervalMs = ownIntervalMs;
    world.watch.start();
    await world.timer.advance(20_000);
    expect(world.kind).toBe('connected');
    world.echoesUntilMs = world.timer.monotonicMs();
    world.answers = false;
    await world.timer.advance(5000);
    for (let passedMs = 5000; passedMs < 12_000; passedMs += 500) {
      expect(world.kind).not.toBe('connected');
      await world.timer.advance(500);
    }
    expect(world.kind).toBe('one-way-out');
  },
);

test.each([
  ['changes arrive no more while progress does', { ticksUntilMs: 6000, changesUntilMs: 6000 }],
  ['changes arrive and are not applied', { changesUntilMs: 6000 }],
  ['the peer says that ours are not applied there', { peerChangesAgeMs: 20_000 }],
  ['the peer answers and receives nothing of ours', { echoesUntilMs: 6000 }],
])('a gray link is stalled: %s', async (_what, broken) => {
  const world = await connected();
  Object.assign(world, broken);
  await world.timer.advance(8500);
  expect(world.kind).toBe('stalled');
  world.heal();
  world.peerChangesAgeMs = 100;
  await world.timer.advance(5000);
  expect(world.kind).toBe('connected');
});

test.each(['down', 'hangs'] as const)(
  'a database that is %s says nothing of the link, and is soon forgotten',
  async (how) => {
    const world = await connected();
    world.database = how;
    world.ownUntilMs = 6000;
    await world.timer.advance(3500);
    expect(world.kind).toBe('suspected');
    await world.timer.advance(60_000);
    expect(world.kind).toBe('suspected');
    expect(world.watch.dataAgeMs(us)).toBeNull();
    if (how === 'hangs') return;
    world.heal();
    world.ownUntilMs = always;
    await world.timer.advance(3000);
    expect(world.kind).toBe('connected');
  },
);

test('own beats that stand still leave no echo young', async () => {
  const world = await connected();
  world.ownUntilMs = 6000;
  await world.timer.advance(3500);
  expect(world.kind).toBe('suspected');
});

test('a wall clock that is set, forwards or backwards, makes no link better or worse', async () => {
  const world = await connected();
  for (const jumpMs of [3_600_000, -7_200_000, 60_000]) {
    world.wallMs += jumpMs;
    for (let passedMs = 0; passedMs < 5000; passedMs += 500) {
      await world.timer.advance(500);
      expect(world.kind).toBe('connected');
    }
  }
});

test('a process that was stopped says so before it has looked again', async () => {
  const world = await connected();
  world.timer.pause(60_000);
  expect(world.kind).toBe('suspected');
});

test('it tells a peer how long ago its changes moved our positions', async () => {
  const world = await connected();
  expect(world.watch.dataAgeMs(us)).toBeLessThan(1000);
  world.changesUntilMs = world.timer.monotonicMs();
  await world.timer.advance(10_000);
  expect(world.watch.dataAgeMs(us)).toBeGreaterThan(9000);
});

test('positions count once every partition of the newest incarnation has one', () => {
  const row = (counter: number, partition: number, applied: bigint) => {
    const life = { counter, nonce: 1 };
    return { origin: us, incarnation: life, partition, applied, settled: 0n, beat: null, nextOffset: 0n };
  };
  expect(leastApplied([], 2)).toBeNull();
  expect(leastApplied([row(1, 0, 9n)], 2)).toBeNull();
  expect(leastApplied([row(1, 0, 9n), row(1, 1, 7n)], 2)?.applied).toBe(7n);
  expect(leastApplied([row(1, 0, 9n), row(1, 1, 7n), row(2, 0, 1n)], 2)).toBeNull();
});

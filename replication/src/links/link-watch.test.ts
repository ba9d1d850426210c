import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import { parseRegionId } from '../ports/identity.ts';
import { LinkWatch } from './link-watch.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 5 };
const wallMs = 1_700_000_000_000;

/** Tables and one peer in a world where every link works until the test says otherwise; beat n is at n * 250 ms. */
class World {
  readonly timer = new ManualTimer();
  ticksUntilMs = Number.POSITIVE_INFINITY;
  echoesUntilMs = Number.POSITIVE_INFINITY;
  pingEchoesUntilMs = -1;
  answers = true;
  database: 'up' | 'down' | 'hangs' = 'up';
  setBackMs = 0;
  pings = 0;

  readonly watch = new LinkWatch({
    peers: [us],
    timer: this.timer,
    clock: { nowMs: () => wallMs + this.timer.monotonicMs() - this.setBackMs },
    client: {
      ping: async () => {
        this.pings++;
        if (this.answers) return { echoedBeat: this.#beat(this.pingEchoesUntilMs) };
        await new Promise<void>((resolve) => this.timer.after(1000, resolve));
        return null;
      },
    },
    beats: {
      heard: () => this.#read(() => [this.#tick()]),
      peerProgress: () =>
        this.#read(() => [
          {
            peer: us,
            peerIncarnation: incarnation,
            settled: null,
            settledBeat: null,
            echoedBeat: this.#beat(this.echoesUntilMs),
            heardAtMs: wallMs,
            clockOffset: null,
          },
        ]),
      beatAtMs: (number) => this.#read(() => wallMs + number * 250),
    },
  });

  get kind(): string {
    return this.watch.links[0]?.state.kind ?? 'none';
  }

  #tick() {
    const number = this.#beat(this.ticksUntilMs);
    const atMs = wallMs + number * 250;
    const beat = { number, count: 0, atMs, lsn: 1n, end: 1n };
    return { origin: us, incarnation, beat, receivedAtMs: atMs };
  }

  #beat(untilMs: number): number {
    return Math.max(0, Math.floor(Math.min(this.timer.monotonicMs(), untilMs) / 250));
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

test('a cut of both directions is partitioned within seconds, and heals', async () => {
  const world = await connected();
  world.ticksUntilMs = 6000;
  world.echoesUntilMs = 6000;
  world.answers = false;
  await world.timer.advance(2501);
  expect(world.kind).toBe('suspected');
  await world.timer.advance(4000);
  expect(world.kind).toBe('partitioned');
  world.ticksUntilMs = Number.POSITIVE_INFINITY;
  world.echoesUntilMs = Number.POSITIVE_INFINITY;
  world.answers = true;
  await world.timer.advance(2500);
  expect(world.kind).toBe('healing');
  await world.timer.advance(4000);
  expect(world.kind).toBe('connected');
});

test('when only what comes in is cut, the echo by request tells the direction', async () => {
  const world = await connected();
  world.ticksUntilMs = 6000;
  world.echoesUntilMs = 6000;
  world.pingEchoesUntilMs = Number.POSITIVE_INFINITY;
  await world.timer.advance(8000);
  expect(world.kind).toBe('one-way-in');
});

test('when only what goes out is cut, ticks go on and nothing of ours is echoed', async () => {
  const world = await connected();
  world.echoesUntilMs = 6000;
  world.answers = false;
  await world.timer.advance(8000);
  expect(world.kind).toBe('one-way-out');
});

test.each(['down', 'hangs'] as const)('a database that is %s never leaves a link connected', async (how) => {
  const world = await connected();
  world.database = how;
  await world.timer.advance(3000);
  expect(world.kind).toBe('suspected');
  await world.timer.advance(5000);
  expect(world.kind).toBe('stalled');
});

test('a clock that was set back makes ages unknown, not young', async () => {
  const world = await connected();
  world.setBackMs = 3_600_000;
  await world.timer.advance(1000);
  expect(world.watch.links[0]?.signals).toMatchObject({ tickAgeMs: null, echoAgeMs: null });
  expect(world.kind).toBe('suspected');
});

test('before the clock was read nothing is young', async () => {
  const world = new World();
  const watch = new LinkWatch({
    peers: [us],
    timer: world.timer,
    client: { ping: () => Promise.resolve(null) },
    beats: {
      heard: () => Promise.resolve([]),
      peerProgress: () => Promise.resolve([]),
      beatAtMs: () => Promise.resolve(null),
    },
    clock: {
      nowMs: () => {
        throw new ReplicationError('clock-unknown', 'not read yet', { retriable: true });
      },
    },
  });
  watch.start();
  await world.timer.advance(4000);
  expect(watch.links[0]).toMatchObject({ state: { kind: 'partitioned' }, signals: { tickAgeMs: null } });
});

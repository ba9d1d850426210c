import { once } from 'node:events';
import { expect, test } from 'vitest';
import { AgendaWatch } from '../agenda-watch.ts';
import { MemoryAgendaStore } from '../adapters/memory/agenda-store.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryIncidentStore } from '../adapters/memory/incident-store.ts';
import { ReplicationError } from '../errors.ts';
import type { Overview } from '../ports/beat-store.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import { IncidentWatch } from './incident-watch.ts';
import type { LinkKind } from './link-monitor.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');
const own = { counter: 1, nonce: 5 };
const theirs = { counter: 1, nonce: 6 };
const wallMs = 1_700_000_000_000;
const digests = { own: { products: 'd' }, peer: { products: 'd' } };
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Both regions write ten changes a second, a beat each time; the link does what the test says. */
class World {
  readonly timer = new ManualTimer();
  /** By so much the clock was set back. */
  behindMs = 0;
  readonly store = new MemoryIncidentStore();
  kind: LinkKind = 'connected';
  sinceMs = 0;
  settledUntilMs = Number.POSITIVE_INFINITY;
  isClean = false;
  /** A comparison of `us` lasts until nobody waits for it any more. */
  isComparing = false;
  /** Of the link to `ap`; `null`: it is no peer. */
  other: LinkKind | null = null;
  isActive = true;
  isConfigured = true;
  isDown = false;
  readonly asked: string[] = [];
  /** How often a comparison might begin. */
  compared = 0;
  readonly stillness: boolean[] = [];
  writtenUntilMs = Number.POSITIVE_INFINITY;
  readonly #agenda = this.#readAgenda();
  watch = this.#create();

  set(kind: LinkKind): void {
    this.kind = kind;
    this.sinceMs = this.timer.monotonicMs();
  }

  /** The process ends and another one begins, with what the store holds. */
  async restart(): Promise<void> {
    await this.watch.stop();
    this.watch = this.#create();
    this.watch.start();
  }

  #readAgenda(): AgendaWatch {
    const store = new MemoryAgendaStore({ incidents: this.store });
    const watch = new AgendaWatch({ store, timer: this.timer, logger: silent });
    watch.start();
    return watch;
  }

  #create(): IncidentWatch {
    const signals = {
      blind: false,
      tickAgeMs: null,
      dataAgeMs: null,
      echoAgeMs: null,
      echoMovedMs: null,
      peerDataAgeMs: null,
      answered: true,
    };
    return new IncidentWatch({
      incarnation: own,
      partitionCount: 1,
      isActive: () => this.isActive,
      agenda: this.#agenda,
      incidents: this.store,
      timer: this.timer,
      clock: { nowMs: () => wallMs + this.timer.monotonicMs() - this.behindMs },
      logger: silent,
      links: () => {
        if (!this.isConfigured) return [];
        const { kind, sinceMs } = this;
        const state = { kind, sinceMs, freshSinceMs: null, decidedAtMs: sinceMs, relapses: 0 };
        const mark = { incarnation: theirs, beat: this.#written(), count: this.#written() };
        const written = { mark, askedAtMs: this.timer.monotonicMs() };
        const link = { peer: us, state, signals, written };
        const { other } = this;
        return other === null ? [link] : [link, { ...link, peer: ap, state: { ...state, kind: other } }];
      },
      sweeps: {
        cleanSweepSince: async (_peer, { since, isStill, mayCompare, signal }) => {
          this.asked.push(since);
          if (mayCompare) this.compared += 1;
          this.stillness.push(isStill);
          if (this.isComparing) await once(signal, 'abort');
          return this.isClean ? digests : null;
        },
      },
      beats: {
        overview: async () => {
          if (this.isDown) throw new ReplicationError('database-unavailable', 'down', { retriable: true });
          return this.#overview();
        },
      },
    });
  }

  #overview(): Overview {
    const newest = this.#beat(this.#written());
    const at = { origin: us, incarnation: theirs, partition: 0, applied: 1n, settled: 1n };
    return {
      rpo: [{ peer: us, coveredAtMs: wallMs, settledCount: this.#settled() }],
      own: { newest, newestCounted: newest, logCoveredAtMs: null, logCount: null },
      heard: [{ origin: us, incarnation: theirs, beat: this.#beat(1), receivedAtMs: this.#contactMs() }],
      progress: [
        {
          peer: us,
          peerIncarnation: theirs,
          settled: null,
          settledBeat: this.#settled(),
          echoedBeat: null,
          heardAtMs: this.#contactMs(),
          clockOffset: null,
          publishedCount: null,
          earlierOffsets: [],
        },
      ],
      positions: [{ ...at, beat: this.#beat(this.#settled()), nextOffset: 0n }],
    };
  }

  #beat(number: number) {
    return { number, count: number, atMs: 0, lsn: 1n, end: 1n };
  }

  #written(): number {
    return Math.floor(Math.min(this.timer.monotonicMs(), this.writtenUntilMs) / 100);
  }

  #settled(): number {
    return Math.floor(Math.min(this.timer.monotonicMs(), this.settledUntilMs) / 100);
  }

  #contactMs(): number {
    return wallMs + Math.min(this.timer.monotonicMs(), this.settledUntilMs);
  }
}

async function cutAt10s(): Promise<World> {
  const world = new World();
  world.watch.start();
  await world.timer.advance(10_000);
  world.settledUntilMs = 10_000;
  world.set('suspected');
  await world.timer.advance(3000);
  world.set('partitioned');
  await world.timer.advance(3000);
  return world;
}

test('while all is well it writes nothing', async () => {
  const world = new World();
  world.watch.start();
  await world.timer.advance(60_000);
  expect(await world.store.list({ before: null, limit: 10 })).toEqual([]);
});

test.each([false, true])(
  'a partition in which both sides wrote is one incident from the last contact to the clean sweep; restarts: %s',
  async (isRestarting) => {
    const restart = (world: World) => (isRestarting ? world.restart() : Promise.resolve());
    const world = await cutAt10s();
    await restart(world);
    await world.timer.advance(4000);
    const [cut] = await world.store.open();
    expect(cut).toMatchObject({
      state: 'partitioned',
      startedAtMs: wallMs + 10_000,
      from: { own: { count: 100 } },
    });
    world.set('healing');
    await world.timer.advance(1000);
    await restart(world);
    world.set('connected');
    await world.timer.advance(2000);
    await restart(world);
    world.settledUntilMs = Number.POSITIVE_INFINITY;
    await world.timer.advance(2000);
    await restart(world);
    expect(world.asked).toEqual([]);
    await world.timer.advance(6000);
    world.isClean = true;
    await world.timer.advance(10_000);
    expect(await world.store.open()).toEqual([]);
    const [ended, ...others] = await world.store.list({ before: null, limit: 10 });
    expect(others).toEqual([]);
    expect(ended).toMatchObject({ number: cut?.number, state: 'reconciled', digests });
    expect(ended?.writes.own).toBe((ended?.until?.own.count ?? 0) - 100);
    expect(ended?.writes.peer).toBe((ended?.until?.peer.count ?? 0) - 100);
    expect(ended?.writes.own).toBeGreaterThan(90);
    expect(new Set(world.asked)).toHaveLength(1);
  },
);

test('sweeps that are not clean are asked for ever less often, and one that was is heard of at once', async () => {
  const world = await cutAt10s();
  world.set('connected');
  world.settledUntilMs = Number.POSITIVE_INFINITY;
  await world.timer.advance(120_000);
  expect(world.compared).toBeGreaterThan(4);
  expect(world.compared).toBeLessThan(10);
  expect(await world.store.open()).toMatchObject([{ state: 'healing' }]);
  const before = world.compared;
  world.isClean = true;
  await world.timer.advance(3000);
  expect(await world.store.open()).toEqual([]);
  expect(world.compared).toBe(before);
});

test('one that breaks again is settled at another moment, also where the clock shows the same (0068)', async () => {
  const world = await cutAt10s();
  const heal = async (): Promise<number | null | undefined> => {
    world.set('connected');
    world.settledUntilMs = Number.POSITIVE_INFINITY;
    await world.timer.advance(10_000);
    return (await world.store.open())[0]?.settledAtMs;
  };
  const first = await heal();
  expect(new Set(world.asked)).toHaveLength(1);
  world.settledUntilMs = world.timer.monotonicMs();
  world.set('partitioned');
  await world.timer.advance(4000);
  world.behindMs = 14_000;
  expect(await heal()).toBe(first);
  expect(await world.store.open()).toHaveLength(1);
  expect(new Set(world.asked)).toHaveLength(2);
});

test('while a peer is compared the links to the others are watched, and stopping does not wait', async () => {
  const world = await cutAt10s();
  world.other = 'connected';
  world.isComparing = true;
  world.set('connected');
  world.settledUntilMs = Number.POSITIVE_INFINITY;
  await world.timer.advance(20_000);
  expect(world.asked).toHaveLength(1);
  world.other = 'partitioned';
  await world.timer.advance(5000);
  world.other = 'connected';
  await world.timer.advance(2000);
  expect(await world.store.open()).toMatchObject([
    { peer: us, state: 'healing' },
    { peer: ap, state: 'healing', declaredAtMs: expect.any(Number) },
  ]);
  expect(world.asked).toHaveLength(1);
  await world.watch.stop();
});

test('who is asked for a sweep hears whether anybody still writes', async () => {
  const world = await cutAt10s();
  world.set('connected');
  world.settledUntilMs = Number.POSITIVE_INFINITY;
  await world.timer.advance(10_000);
  expect(new Set(world.stillness)).toEqual(new Set([false]));
  world.writtenUntilMs = world.timer.monotonicMs();
  await world.timer.advance(60_000);
  expect(world.stillness.at(-1)).toBe(true);
});

test('a doubt that passes leaves nothing', async () => {
  const world = new World();
  world.watch.start();
  world.set('suspected');
  await world.timer.advance(2000);
  expect(await world.store.open()).toMatchObject([{ state: 'suspected', declaredAtMs: null }]);
  world.set('connected');
  await world.timer.advance(2000);
  expect(await world.store.list({ before: null, limit: 10 })).toEqual([]);
});

test('an incident with a peer that is no longer configured ends as it stands', async () => {
  const world = await cutAt10s();
  const [open] = await world.store.open();
  world.isConfigured = false;
  await world.timer.advance(2000);
  expect(await world.store.open()).toEqual([]);
  expect(await world.store.find(open?.number ?? 0)).toMatchObject({ state: 'partitioned', digests: null });
});

test('a process that does not replicate leaves incidents alone, and one without a database waits', async () => {
  const world = new World();
  world.isActive = false;
  world.set('partitioned');
  world.watch.start();
  await world.timer.advance(3000);
  expect(await world.store.open()).toEqual([]);
  world.isActive = true;
  world.isDown = true;
  await world.timer.advance(3000);
  expect(world.watch.failure).toBeInstanceOf(ReplicationError);
  world.isDown = false;
  await world.timer.advance(2000);
  expect(world.watch.failure).toBeNull();
  expect(await world.store.open()).toHaveLength(1);
});

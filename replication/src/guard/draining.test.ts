import { expect, test } from 'vitest';
import { AgendaWatch } from '../agenda-watch.ts';
import { MemoryAgendaStore } from '../adapters/memory/agenda-store.ts';
import { MemoryBeatStore } from '../adapters/memory/beat-store.ts';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { MemoryDrainStore } from '../adapters/memory/drain-store.ts';
import { MemoryIdentityRow } from '../adapters/memory/identity-row.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryRefillStore } from '../adapters/memory/refill-store.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { ReplicationError } from '../errors.ts';
import { Draining } from './draining.ts';

const ignore = () => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** One database, and as many processes as are asked for. */
class World {
  readonly timer = new ManualTimer();
  readonly drains: MemoryDrainStore;

  constructor() {
    const database = new MemoryDatabase({ nowMs: () => this.timer.monotonicMs() });
    const identity = new MemoryIdentityRow(database, { counter: 1, nonce: 5 });
    const records = new MemoryRecordStore(database);
    const beats = new MemoryBeatStore(database, records, []);
    const refills = new MemoryRefillStore({ database, identity, records });
    this.drains = new MemoryDrainStore({ database, identity, beats, refills });
  }

  started(): Draining {
    const { timer, drains: store } = this;
    const agenda = new AgendaWatch({ store: new MemoryAgendaStore(this), timer, logger });
    const draining = new Draining({ agenda, store, timer, logger });
    draining.start();
    agenda.start();
    return draining;
  }
}

test('every process hears within 250 ms that writes were taken away, and that they are taken again', async () => {
  const world = new World();
  const [one, two] = [world.started(), world.started()];
  await world.timer.advance(1000);
  const drained = one.drain();
  await world.timer.advance(0);
  expect([one.isDrained, two.isDrained]).toEqual([true, false]);
  await world.timer.advance(250);
  expect(two.isDrained).toBe(true);
  await world.timer.advance(1000);
  await drained;
  await one.join();
  await world.timer.advance(250);
  expect([one.isDrained, two.isDrained]).toEqual([false, false]);
});

test('the beat is named by whoever lives once the connections have ended', async () => {
  const world = new World();
  world.started();
  await world.drains.begin();
  await world.timer.advance(1000);
  expect(await world.drains.find()).toMatchObject({ beat: null });
  await world.drains.cut();
  await world.timer.advance(250);
  expect(await world.drains.find()).toMatchObject({ beat: 2 });
});

test('a command fails where the database does, and cuts nothing', async () => {
  const world = new World();
  const draining = world.started();
  world.drains.find = () =>
    Promise.reject(new ReplicationError('database-unavailable', 'down', { retriable: true }));
  await expect(draining.drain()).rejects.toMatchObject({ code: 'database-unavailable' });
  await draining.look();
  await world.timer.advance(2000);
  expect(world.drains.isCut).toBe(false);
});

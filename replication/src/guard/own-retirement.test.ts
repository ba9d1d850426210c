import { expect, test } from 'vitest';
import { AgendaWatch } from '../agenda-watch.ts';
import { MemoryAgendaStore } from '../adapters/memory/agenda-store.ts';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { MemoryRetirementStore } from '../adapters/memory/retirement-store.ts';
import { ReplicationError } from '../errors.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import { OwnRetirement } from './own-retirement.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');
const ignore = () => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** The database of eu, and what its peers answer. */
class World {
  readonly timer = new ManualTimer();
  readonly retirements: MemoryRetirementStore;
  readonly agenda: AgendaWatch;
  readonly answers = new Map<RegionId, readonly RegionId[]>();
  isDown = false;
  /** Answers arrive once this resolves. */
  onTheWay: Promise<void> = Promise.resolve();
  turns = 0;
  readonly told: ReadonlyMap<RegionId, readonly RegionId[]>[] = [];

  constructor() {
    const database = new MemoryDatabase({ nowMs: () => 0 });
    this.retirements = new MemoryRetirementStore(database, new MemoryRecordStore(database));
    this.agenda = new AgendaWatch({ store: new MemoryAgendaStore(this), timer: this.timer, logger });
    this.agenda.start();
  }

  /** As a process that was just started has it. */
  started(): OwnRetirement {
    const { agenda, retirements } = this;
    return new OwnRetirement({
      region: eu,
      peers: [us, ap],
      agenda,
      store: {
        all: () => retirements.all(),
        close: async (region, wish) => {
          if (this.isDown) throw new ReplicationError('database-unavailable', 'down', { retriable: true });
          return retirements.close(region, wish);
        },
      },
      onTold: async (told) => void this.told.push(told),
      onTurn: async () => void this.turns++,
      witness: {
        closedAt: async (peer) => {
          const answer = this.answers.get(peer) ?? null;
          await this.onTheWay;
          return answer;
        },
      },
      logger,
    });
  }
}

test('a region that no peer has closed goes on writing, whether they answer or not', async () => {
  const world = new World();
  const process = world.started();
  await process.look();
  world.answers.set(us, [ap]);
  process.start();
  await world.timer.advance(5000);
  expect(process.isRetired).toBe(false);
  await process.stop();
});

test('the first peer that says so ends its writes, and a process that is started later knows it alone (P8)', async () => {
  const world = new World();
  const process = world.started();
  process.start();
  await world.timer.advance(100);
  world.answers.set(ap, [eu]);
  await world.timer.advance(1000);
  expect(process.isRetired).toBe(true);
  await process.stop();
  world.answers.clear();
  const later = world.started();
  await later.look();
  expect(later.isRetired).toBe(true);
});

test('it takes no write while the word cannot be stored, and stores it later', async () => {
  const world = new World();
  world.isDown = true;
  world.answers.set(us, [eu]);
  const process = world.started();
  await process.look();
  expect([process.isRetired, await world.retirements.all()]).toEqual([true, []]);
  world.answers.clear();
  world.isDown = false;
  await process.look();
  expect(await world.retirements.all()).toMatchObject([{ region: 'eu' }]);
});

test('a word that the database refused is stored as soon as it takes writes, without waiting for a turn', async () => {
  const world = new World();
  world.isDown = true;
  world.answers.set(us, [eu]);
  const process = world.started();
  await process.look();
  world.isDown = false;
  process.onWritable();
  await process.stop();
  expect(await world.retirements.all()).toMatchObject([{ region: 'eu' }]);
});

test('a database that takes writes again is not closed unless somebody said so', async () => {
  const world = new World();
  const process = world.started();
  await process.look();
  process.onWritable();
  await process.stop();
  expect(await world.retirements.all()).toEqual([]);
});

test('what else peers have closed is handed on before the first write, and nothing once this region is gone', async () => {
  const world = new World();
  world.answers.set(us, [ap]);
  const process = world.started();
  await process.look();
  const said = new Map([
    [us, [ap]],
    [ap, []],
  ]);
  expect([world.told, world.turns]).toEqual([[said], 0]);
  process.start();
  await world.timer.advance(100);
  expect([world.told, world.turns]).toEqual([[said, said], 1]);
  world.answers.set(us, [ap, eu]);
  await world.timer.advance(5000);
  expect([world.told.length, world.turns]).toEqual([2, 1]);
  await process.stop();
});

test('a look that hears nothing takes back nothing of what another one heard meanwhile', async () => {
  const world = new World();
  world.isDown = true;
  const process = world.started();
  let arrive = (): void => expect.fail('nobody waits yet');
  world.onTheWay = new Promise((resolve) => {
    arrive = resolve;
  });
  const deaf = process.look();
  await world.retirements.all();
  world.onTheWay = Promise.resolve();
  world.answers.set(us, [eu]);
  await process.look();
  arrive();
  await deaf;
  expect(process.isRetired).toBe(true);
});

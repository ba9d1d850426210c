/** Which answers to clients count as those of a sound region (I8). */
import { expect, test } from 'vitest';
import { drawScenario } from './scenario.ts';
import type { SimRegion } from './sim-region.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

const drawn = drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null });
const write = { kind: 'insert', atMs: 2000, region: 0, client: 0, record: 0, amount: 1 } as const;
const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: true } as const;

/** It writes on as a new life that still learns its past, and this is done to it while a write is under way. */
async function answeredWhile(done: (region: SimRegion, world: World) => Promise<void>) {
  const scenario = { ...drawn, ...calm, operations: [write], faults: [] };
  const world = new World(scenario, null);
  const workload = new Workload(world, scenario);
  const region = world.regionAt(0);
  world.start();
  workload.start();
  await world.scheduler.run(1900, () => undefined);
  region.database.transact(true, () =>
    region.incarnations.begin({
      past: { incarnation: region.identity.incarnation, through: 0n },
      promised: null,
      sinceMs: 0,
      firstJob: 1,
      isEmptied: false,
    }),
  );
  await region.incarnations.setOpen(true);
  await world.scheduler.run(2000.01, () => undefined);
  await done(region, world);
  await world.scheduler.run(9000, () => undefined);
  const [answer] = workload.history;
  return answer === undefined ? expect.fail('it was answered') : [answer.result, answer.wasSound];
}

test('a region that must write no more until it is filled anew refuses what is under way, and is not sound', async () => {
  expect(await answeredWhile((region) => region.incarnations.setOpen(false))).toEqual(['fail', false]);
});

test('where nothing closes it, whatever is not answered well counts', async () => {
  expect(await answeredWhile(async () => undefined)).toEqual(['ok', true]);
  const cut = await answeredWhile(async (region) => region.postgres.cutConnections());
  expect(cut).toEqual(['fail', true]);
});

test('a database that is set back while a write is under way is done to the region', async () => {
  const setBack = await answeredWhile(async (region, world) => {
    const { incarnation: copied } = region.identity;
    const at = region.database.wal.insert;
    const putBack = region.database.copy();
    world.restore(region, { putBack, copied, at, beat: 0, atMs: 2000, isEmptied: false });
  });
  expect(setBack).toEqual(['fail', false]);
});

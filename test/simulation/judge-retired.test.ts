/** What is expected of the heir of a region that was retired, where that one goes as well. */
import { assert } from '@isthmus/replication/errors';
import { expect, test } from 'vitest';
import { retirementFaults } from './judge-retired.ts';
import { drawScenario } from './scenario.ts';
import { World } from './world.ts';

const drawn = drawScenario(1, { regions: 3, seconds: 60, isHealing: true, faults: null });

/** Two survivors have agreed that the first inherits; it goes at one moment, and the command came at another. */
async function heirGone(at: { readonly goneMs: number; readonly retiredMs: number }): Promise<World> {
  const world = new World({ ...drawn, retiring: null }, null);
  const [heir, survivor, gone] = world.regions;
  assert(heir !== undefined && survivor !== undefined && gone !== undefined, 'three regions');
  for (const { retirements } of [heir, survivor]) {
    await retirements.close(gone.id, null);
    await retirements.retire(gone.id, { final: [], heir: heir.id }, [gone.id]);
  }
  world.destroy(gone, { withLog: true });
  world.retired.set(gone.id, at.retiredMs);
  await world.scheduler.run(at.goneMs, () => undefined);
  world.destroy(heir, { withLog: true });
  await survivor.retirements.close(heir.id, null);
  await survivor.retirements.retire(heir.id, { final: [], heir: survivor.id }, [gone.id, heir.id]);
  world.retired.set(heir.id, Math.max(at.goneMs, at.retiredMs));
  return world;
}

test('an heir that goes later is followed by its own heir', async () => {
  expect(await retirementFaults(await heirGone({ goneMs: 2000, retiredMs: 1000 }))).toEqual([]);
});

test('nobody who was gone before the region was retired is its heir', async () => {
  const detail = 'its heir is eu, which was gone before';
  const found = await retirementFaults(await heirGone({ goneMs: 2000, retiredMs: 3000 }));
  expect(found).toEqual([{ checker: 'retirement', key: 'asia', detail }]);
});

/** What is expected where a database is lost, and what held the rest of it is lost later or was lost before. */
import type { Lsn } from '@isthmus/replication/ports/change';
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';
import { lossesIn } from './verdict-loss.ts';
import { World } from './world.ts';

const drawn = drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null });

/** A region is set back by one change that is a second old, and showed this of it; its peer meets this before. */
async function setBack(
  shownMs: { readonly first: number; readonly ofPeers: number },
  before: (world: World) => Promise<void> = async () => undefined,
): Promise<World> {
  const world = new World(drawn, null);
  const region = world.regionAt(0);
  const { incarnation } = region.identity;
  await world.scheduler.run(1000, () => undefined);
  const ids = [{ collection: 'things', key: 'counter-1' }];
  world.oracle.committed({ region, incarnation }, { end: 20n, ids });
  await before(world);
  await world.scheduler.run(2000, () => undefined);
  const putBack = (): void => undefined;
  const copy = { putBack, copied: incarnation, at: 10n, beat: 0, atMs: 500, isEmptied: false };
  world.losses.setBack(region, copy);
  world.losses.all.push(...world.losses.all.splice(0).map((loss) => ({ ...loss, shownMs })));
  await world.scheduler.run(3000, () => undefined);
  return world;
}

const lost = { checker: 'loss', key: 'eu', detail: 'lost 1000 ms of writes with an RPO of 100 ms' };

test('what the log alone held may be lost with it, and then the RPO of the best peer says how much', async () => {
  const world = await setBack({ first: 100, ofPeers: 1200 });
  expect(await lossesIn(world), 'as long as the log is there').toEqual([lost]);
  world.losses.destroyed(world.regionAt(0), true);
  expect(await lossesIn(world)).toEqual([]);
});

test('it is too low where peers lack more than it says, whatever has become of the log', async () => {
  const world = await setBack({ first: 100, ofPeers: 100 });
  world.losses.destroyed(world.regionAt(0), true);
  expect(await lossesIn(world)).toEqual([lost]);
});

test('a log that outlives its database, and that of another region, excuse nothing', async () => {
  const world = await setBack({ first: 100, ofPeers: 1200 });
  world.losses.destroyed(world.regionAt(1), true);
  world.losses.destroyed(world.regionAt(0), false);
  expect(await lossesIn(world)).toEqual([lost]);
});

/** It has what was in a hole of the log that a lost slot has left, up to there, and is destroyed. */
async function holdAndGo(world: World, applied: Lsn): Promise<void> {
  const [region, peer] = [world.regionAt(0), world.regionAt(1)];
  const { incarnation, partitionCount } = region.identity;
  const row = { origin: region.id, incarnation, applied, settled: applied, beat: null, nextOffset: 0n };
  for (let partition = 0; partition < partitionCount; partition++)
    await peer.records.createPosition({ ...row, partition });
  world.seen('fault: lose-slot');
  world.destroy(peer, { withLog: true });
}

test('a log counts as whole for as long as nobody has said that the peer is gone which holds what it lacks', async () => {
  const figures = { first: 100, ofPeers: 100 };
  expect(await lossesIn(await setBack(figures, (world) => holdAndGo(world, 20n)))).toEqual([]);
  const lacking = await setBack(figures, (world) => holdAndGo(world, 0n));
  expect(await lossesIn(lacking), 'it never held it').toEqual([lost]);
  const retired = await setBack(figures, async (world) => {
    await holdAndGo(world, 20n);
    await world.regionAt(0).retirements.close(world.regionAt(1).id, null);
  });
  expect(await lossesIn(retired), 'and it was said').toEqual([lost]);
});

test('a region that is set back after its only peer is gone has its log to learn from, and the world waits for that', async () => {
  const faults: readonly Fault[] = [
    { kind: 'destroy-with-log', atMs: 30_000, forMs: 1000, region: 0, other: 1, level: 0.5 },
    { kind: 'restore', atMs: 57_000, forMs: 2500, region: 1, other: 0, level: 0.5 },
  ];
  const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: false } as const;
  const { violations, coverage } = await runScenario({ ...drawn, ...calm, isGuarded: true, faults });
  expect(coverage['incarnation changed']).toBe(1);
  expect(violations).toEqual([]);
}, 120_000);

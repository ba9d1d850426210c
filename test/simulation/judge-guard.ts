/**
 * Judges, while a world runs, what a write guard lets pass (P7): as many peers as the budget names really lack nothing
 * older than it allows, and no more than it allows and what was written since the last look. Ages are left out for as
 * long as a jump of the own clock lets them be off; so is a region one of whose peers no longer holds what it has told, because
 * nobody tells the region so.
 */
import { hiddenIn, knowsOwnClock } from './clock-excuse.ts';
import type { TrueLag } from './oracle.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** Looks lie this far apart, and a reading takes its time; the same in ages of beats. */
const overshootMs = 1500;
/** The most that is written in that time, and in the second that a count is believed. */
const overshootChanges = 60;

export async function judgeAccepted(world: World, node: SimNode): Promise<void> {
  const { guard } = world.scenario;
  const { region } = node;
  if (
    guard.kind !== 'budget' ||
    !knowsOwnClock(region, world.scheduler.nowMs) ||
    region.peers.some((peer) => world.regionOf(peer).isSetBack)
  )
    return;
  const atMs = world.scheduler.nowMs;
  const lags = await Promise.all(
    region.peers.map((peer) => world.oracle.lag(region.identity, world.regionOf(peer))),
  );
  const within = lags.filter(
    ({ oldestChangeMs, changes }: TrueLag) =>
      (guard.seconds === null ||
        oldestChangeMs - hiddenIn(world, region, oldestChangeMs) <= guard.seconds * 1000 + overshootMs) &&
      (guard.changes === null || changes <= guard.changes + overshootChanges),
  ).length;
  if (within >= guard.peers) return;
  const detail = `took a write at ${Math.round(atMs)} ms with ${within} peers within the budget`;
  world.violations.push({ checker: 'guard', key: region.id, detail });
}

/**
 * Judges, while a world runs, the numbers of changes that regions show: what of an origin waits for a target, and what of
 * its own an origin knows no peer to hold. None may be below the changes that are missing and were counted, none above
 * those since the newest beat that is there, once nothing stands in the way of telling so.
 */
import type { Lag } from '@isthmus/replication/progress/lag';
import type { Rpo } from '@isthmus/replication/progress/rpo';
import type { TrueLag } from './oracle.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

interface Shown<T> {
  readonly node: SimNode;
  readonly other: SimRegion;
  readonly place: string;
  readonly shown: T;
  readonly truth: TrueLag;
}

/** The target's view: of the other region's changes. */
export function judgeBacklog(world: World, { node, other, place, shown, truth }: Shown<Lag>): void {
  const isCalm = world.gauges.isCalm(node.region, other) && shown.seconds !== null;
  const isCounted = !other.mayRecount && !other.hasLostLog && !mayMisdate(world, node.region);
  const most = isCounted ? truth.sinceBeat : Infinity;
  const least = isCounted ? truth.published : 0;
  world.gauges.count(node, { gauge: 'backlog', place, shown: shown.backlogChanges, least, most }, isCalm);
}

/** The origin's view: of its own changes. A peer that was set back tells nobody what it no longer holds. */
export function judgeMissing(world: World, { node, other, place, shown, truth }: Shown<Rpo>): void {
  const { region } = node;
  const isCalm = world.gauges.isCalm(region, other) && shown.seconds !== null;
  const isCounted = !region.mayRecount && !other.isSetBack;
  const least = isCounted ? truth.counted : 0;
  const most = isCalm && isCounted ? truth.sinceBeat + onTheirWay : Infinity;
  world.gauges.count(node, { gauge: 'rpo changes', place, shown: shown.changes, least, most }, isCalm);
}

/**
 * When the peer was heard is stored by the own clock; where that was set back, and the process that had heard is gone, it is
 * taken for later than it was until time has caught up (0030).
 */
function mayMisdate({ scheduler }: World, { clock: { setBacks } }: SimRegion): boolean {
  const allMs = setBacks.reduce((sum, { byMs }) => sum + byMs, 0);
  return scheduler.nowMs < (setBacks.at(-1)?.atMs ?? -Infinity) + allMs + freshMs;
}

/** For so long what was heard says something of now. */
const freshMs = 4000;
/** What is written while a peer's word travels. */
const onTheirWay = 40;

/**
 * Judges what both sides call a link when a break of it ends that was long enough to be seen: never connected, and by its
 * own name where nothing else was wrong (P7).
 */
import type { LinkKind } from '@isthmus/replication/links/link-monitor';
import type { Fault } from './scenario.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

/** By then it must have been noticed: signals are old, and the grace is over. */
const noticedMs = 15_000;
const longMs = 60_000;

interface Break {
  readonly fault: Fault;
  readonly region: SimRegion;
  readonly other: SimRegion;
  readonly fromMs: number;
}

export function judgeBreak(world: World, { fault, region, other, fromMs }: Break): void {
  const forMs = world.scheduler.nowMs - fromMs;
  if (forMs < noticedMs) return;
  world.seen(forMs < longMs ? 'long cut' : 'cut of more than a minute');
  const isOneWay = fault.kind === 'cut-one-way';
  // On the link of whoever calls comes what it reads from the other.
  judgeSide(world, [region, other], { fault, fromMs, name: isOneWay ? 'one-way-in' : 'partitioned' });
  judgeSide(world, [other, region], { fault, fromMs, name: isOneWay ? 'one-way-out' : 'partitioned' });
}

function judgeSide(
  world: World,
  [here, there]: readonly [SimRegion, SimRegion],
  { fault, fromMs, name }: Pick<Break, 'fault' | 'fromMs'> & { readonly name: LinkKind },
): void {
  if (here.isGone) return;
  const isLone = world.scenario.faults.every((each) => each === fault) && world.scenario.joining === null;
  if (isLone) world.seen(`named: ${name}`);
  for (const node of world.nodesOf(here.id)) {
    const kind = node?.links.links.find(({ peer }) => peer === there.id)?.state.kind;
    if (node?.isOpen !== true || kind === undefined) continue;
    if (kind !== 'connected' && (!isLone || kind === name)) continue;
    const detail = `says ${kind} of what is ${name} since ${Math.round(fromMs)} ms`;
    world.violations.push({ checker: 'links', key: `${here.id} to ${there.id}`, detail });
  }
}

/**
 * What is still not right when nothing has been wrong for a while: every link must say that it is well, lag and RPO
 * must be small, and no budget may refuse. A link that kept breaking has to prove itself for longer, so whoever asks
 * may have to ask again before it is a fault.
 */
import type { LinkKind } from '@isthmus/replication/links/link-monitor';
import { viewPeer } from '@isthmus/replication/progress/figures';
import type { Violation } from '../checkers/history.ts';
import { knowsOwnClock } from './clock-excuse.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

/** Long after everything is well, everything must say so. */
const wellMs = 2000;

export function quietFaults(world: World): readonly Violation[] {
  return world.survivors
    .flatMap(({ id }) => world.nodesOf(id))
    .flatMap((node) => (node === null ? [] : faultsOf(world, node)))
    .map(([checker, detail]) => ({ checker, key: 'quiet', detail }));
}

type Fault = readonly [checker: string, detail: string];

function faultsOf(world: World, node: SimNode): readonly Fault[] {
  return [...linkFaults(world, node), ...figureFaults(world, node), ...guardFaults(world, node)];
}

function linkFaults(world: World, { region, links }: SimNode): readonly Fault[] {
  return links.links
    .filter(
      ({ peer }) => !world.regionOf(peer).isGone && !isKeptFromReading(world, [region, world.regionOf(peer)]),
    )
    .filter(({ state }) => !isLinkWell(world, state.kind))
    .map(({ peer, state }) => ['links', `${region.id} to ${peer} says ${state.kind} long after all is well`]);
}

/**
 * A region that is filled anew reads nothing before it holds all of it, and a state that was put aside is not held. One that
 * has all of its past to fetch tells no progress before it has asked everybody, and who is gone never answers (0016).
 */
function isKeptFromReading(world: World, pair: readonly SimRegion[]): boolean {
  const isWaiting = isHeldBack(world) || world.regions.some(({ isGone }) => isGone);
  return isWaiting && pair.some(({ isItself }) => !isItself);
}

/** Across a link whose partition stands at a gap no data pass. */
function isLinkWell(world: World, kind: LinkKind): boolean {
  return kind === 'connected' || (kind === 'stalled' && isHeldBack(world));
}

/** A gap or a dead letter holds back what is settled, and then both sides must go on saying so. */
function figureFaults(world: World, { figures, region, clock }: SimNode): readonly Fault[] {
  const { last } = figures;
  if (last === null || !knowsOwnClock(region, world.scheduler.nowMs) || isHeldBack(world) || !region.isItself)
    return [];
  return last.peers.flatMap((peer) => {
    const other = world.regionOf(peer.peer);
    if (other.isGone || !world.offsets.knowsOffset(region, other) || !other.isItself) return [];
    const { lag, rpo } = viewPeer(last, peer, clock.nowMs());
    const gauges = [
      ['lag', lag.seconds, isForeverAwaited(world, other)],
      ['rpo', rpo.seconds, isForeverAwaited(world, region)],
    ] as const;
    return gauges
      .filter(([, seconds, isUnknown]) => (isUnknown ? seconds !== null : !isSmall(seconds)))
      .map(([gauge, seconds]): Fault => {
        return ['metrics', `${region.id} shows a ${gauge} of ${seconds} s for ${peer.peer} when all is well`];
      });
  });
}

function isSmall(seconds: number | null): boolean {
  return seconds !== null && seconds * 1000 <= wellMs;
}

/** What its earlier lives alone hold comes by a transfer, and until then its later life has settled nowhere (0070). */
function isForeverAwaited(world: World, { identity }: SimRegion): boolean {
  return !world.isHealing && identity.incarnation.counter > 1;
}

/** A budget is kept again, where there is still a peer to keep it. */
function guardFaults(world: World, node: SimNode): readonly Fault[] {
  const isLonely = node.region.peers.some((peer) => world.regionOf(peer).isGone);
  if (isLonely || isHeldBack(world) || !node.isOpen) return [];
  const { kind } = node.judgeWrite();
  const waitsFor = node.waitsFor.filter((peer) => !isForeverAwaited(world, world.regionOf(peer)));
  if (waitsFor.length > 0) return [['joining', `${node.region.id} waits for ${waitsFor.join(' ')}`]];
  return kind === 'accept' || isForeverAwaited(world, node.region)
    ? []
    : [['guard', `${node.region.id} refuses: ${kind}`]];
}

/** What was put aside is not settled; and where nothing is fetched, neither is what lies behind a gap. */
function isHeldBack(world: World): boolean {
  const nodes = world.survivors.flatMap(({ id }) => world.nodesOf(id));
  if (nodes.some((node) => (node?.figures.last?.deadLetters ?? []).length > 0)) return true;
  const points = [...world.coverage.keys()];
  return (
    !world.isHealing && points.some((point) => point.startsWith('gap seen') || point.endsWith('lose-slot'))
  );
}

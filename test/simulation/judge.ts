/**
 * Judges, while a world runs, what its regions say of themselves: lag and RPO whenever a process has read its figures,
 * the state of a link when a cut ends that was long enough to be seen. Ages are left out for as long as a jump of a clock
 * lets them be off.
 */
import { errorNow } from '@isthmus/replication/progress/clock-offset';
import {
  type Figures,
  type PeerFigures,
  type PeerView,
  viewLog,
  viewPeer,
} from '@isthmus/replication/progress/figures';
import { rpoOfRegion } from '@isthmus/replication/progress/rpo';
import { hiddenIn, knowsOwnClock } from './clock-excuse.ts';
import { toldMs } from './oracle.ts';
import { judgeBacklog, judgeMissing } from './judge-counts.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { Loss } from './losses.ts';
import type { World } from './world.ts';

/** What a peer has settled is told within this time where nothing is wrong, and a beat is made and counted. */
const heardMs = 2500;

export function judgeNode(world: World, node: SimNode): void {
  const figures = node.figures.last;
  const { region } = node;
  // A database that was set back shows what it was until it is itself again.
  if (figures === null || region.isGone || !region.isWhole) return;
  judgeLog(world, node, figures);
  for (const peer of figures.peers) {
    const other = world.regionOf(peer.peer);
    const { nowMs } = world.scheduler;
    const ownMs = node.clock.nowMs();
    world.offsets.note(region.id, other.id, { offset: peer.clockOffset, nowMs, ownMs });
    if (!knowsOwnClock(region, nowMs)) continue;
    const view = viewPeer(figures, peer, ownMs);
    const lives = livesOf(region, other, peer);
    if (world.offsets.knowsOffset(region, other))
      void judgeLag(world, node, { other, view, lives, usesEarlier: usesEarlier(peer) });
    const isHidden = region.untold.hides(ownMs, peer.rpo?.coveredAtMs ?? null);
    if (!other.isGone && other.isWhole) void judgeRpo(world, node, { other, view, lives, isHidden });
  }
}

interface Seen {
  readonly other: SimRegion;
  readonly view: PeerView;
  readonly lives: string;
}

/** The offset to its clock goes with the life in which it last told its progress, which comes apart from its beats. */
function livesOf(region: SimRegion, other: SimRegion, { positions, heard }: PeerFigures): string {
  const known = [positions?.incarnation, heard?.incarnation, region.toldLives.get(other.id)];
  const lives = [region.identity.incarnation, other.identity.incarnation, ...known];
  return lives.map((life) => `${life?.counter}.${life?.nonce}`).join(' ');
}

/** Whether the newest settled beat is told by an offset that held before a jump. */
function usesEarlier({ positions, earlierOffsets }: PeerFigures): boolean {
  const beat = positions?.beat?.number ?? null;
  return beat !== null && earlierOffsets.some(({ untilBeat }) => beat <= untilBeat);
}

/** The error of the clocks' offset is shown beside the lag, and says within what the lag is known. */
async function judgeLag(
  world: World,
  node: SimNode,
  { other, view, lives, usesEarlier: isEarlier }: Seen & { readonly usesEarlier: boolean },
): Promise<void> {
  const { clockOffset, lag } = view;
  const errorMs = clockOffset === null ? 0 : errorNow(clockOffset, node.clock.nowMs());
  const isFree = world.gauges.isFree(node.region, other);
  const withinMs = isFree ? toldMs.atBest : toldMs.usually;
  const truth = await world.oracle.lag(other.knownAs, node.region, withinMs);
  const place = `${node.region.id} of ${other.id}`;
  judgeBacklog(world, { node, other, place, shown: lag, truth });
  const tangledAtMs = world.offsets.tangledAtMs(node.region, other);
  const beatAtMs = world.scheduler.nowMs - truth.newestBeatMs;
  if (tangledAtMs !== null && (isEarlier || beatAtMs < tangledAtMs)) return;
  const setBackMs = isEarlier ? world.offsets.setBackMs(node.region, other, beatAtMs) : 0;
  const setAheadMs = world.offsets.setAheadMs(node.region, other, beatAtMs);
  world.gauges.age(node, lives, {
    gauge: 'lag',
    place,
    shownMs: milliseconds(lag.seconds),
    leastMs: Math.max(0, truth.oldestChangeMs - errorMs),
    mostMs: truth.newestBeatMs + errorMs + setBackMs + setAheadMs,
  });
}

async function judgeRpo(
  world: World,
  node: SimNode,
  { other, view, lives, isHidden }: Seen & { readonly isHidden: boolean },
): Promise<void> {
  const { id, identity } = node.region;
  const truth = await world.oracle.lag(identity, other);
  // An age is that of a beat, which may lie before a jump that all that is missing came after.
  const hiddenMs = hiddenIn(world, node.region, Math.max(truth.oldestChangeMs, truth.newestBeatMs));
  const place = `${id} at ${other.id}`;
  judgeMissing(world, { node, other, place, shown: view.rpo, truth });
  if (isHidden) return;
  world.gauges.age(node, lives, {
    gauge: 'rpo',
    place,
    shownMs: milliseconds(view.rpo.seconds),
    leastMs: Math.max(0, truth.oldestChangeMs - hiddenMs),
    mostMs: world.gauges.isCalm(node.region, other) ? mostRpoMs(world, node.region, truth) : Infinity,
  });
}

/** Told by the newest beat that is there, however long changes that are put aside keep the next one from being settled. */
function mostRpoMs(
  { scheduler }: World,
  { clock }: SimRegion,
  { newestBeatMs }: { newestBeatMs: number },
): number {
  return newestBeatMs + heardMs + clock.setAheadMs(scheduler.nowMs - newestBeatMs);
}

/** What would be lost if the database died and the own log stayed, as long as all that was ever in that is there. */
function judgeLog(world: World, node: SimNode, figures: Figures): void {
  const { region } = node;
  const isOfAll = !region.hasLostLog && !region.mayRecount && region.lives.all.length === 1;
  if (!isOfAll || !knowsOwnClock(region, world.scheduler.nowMs)) return;
  const { seconds, changes } = viewLog(figures, node.clock.nowMs());
  const truth = world.oracle.logLag(region);
  const hiddenMs = hiddenIn(world, region, Math.max(truth.oldestChangeMs, truth.newestBeatMs));
  const place = `${region.id} at its log`;
  const isCalm = world.gauges.isCalm(region, region);
  const age = {
    gauge: 'rpo',
    place,
    shownMs: milliseconds(seconds),
    leastMs: Math.max(0, truth.oldestChangeMs - hiddenMs),
    mostMs: isCalm ? truth.newestBeatMs + heardMs : Infinity,
  } as const;
  const isHidden = region.untold.hides(node.clock.nowMs(), figures.own.logCoveredAtMs);
  if (!isHidden) world.gauges.age(node, 'the only one', age);
  const reading = {
    gauge: 'rpo changes',
    place,
    shown: changes,
    least: truth.counted,
    most: Infinity,
  } as const;
  world.gauges.count(node, reading, isCalm && seconds !== null);
}

/** What the region shows of itself now, of its log as long as that can be read, and of its best peer. */
export function shownThen(nodes: readonly (SimNode | null)[], isLogKept: boolean): Loss['shownMs'] {
  return { first: shownRpo(nodes, isLogKept), ofPeers: shownRpo(nodes, false) };
}

/** `null`: unknown. */
function shownRpo(nodes: readonly (SimNode | null)[], ofLog: boolean): number | null {
  for (const node of nodes) {
    const figures = node?.isOpen === true ? node.figures.last : null;
    if (node === null || figures === null) continue;
    const nowMs = node.clock.nowMs();
    if (ofLog) return milliseconds(viewLog(figures, nowMs).seconds);
    return milliseconds(rpoOfRegion(figures.peers.map((peer) => viewPeer(figures, peer, nowMs).rpo)).seconds);
  }
  return null;
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

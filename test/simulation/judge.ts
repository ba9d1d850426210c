/**
 * Judges, while a world runs, what its regions say of themselves: lag and RPO whenever a process has read its figures,
 * the state of a link when a cut ends that was long enough to be seen. Ages are left out for as long as a jump of a clock
 * lets them be off.
 */
import { errorNow } from '@isthmus/replication/progress/clock-offset';
import { type PeerFigures, type PeerView, viewLog, viewPeer } from '@isthmus/replication/progress/figures';
import { rpoOfRegion } from '@isthmus/replication/progress/rpo';
import { hiddenIn, knowsOwnClock } from './clock-excuse.ts';
import { checkGauge, type GaugeReading } from '../checkers/metrics.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { Loss, World } from './world.ts';

/** Between two readings that come one after the other; while a database stands still there is none. */
const successiveMs = 4000;
/** By then a cut must have been noticed: signals are old, and the grace is over. */
const cutNoticedMs = 15_000;
const longCutMs = 60_000;

export function judgeNode(world: World, node: SimNode): void {
  const figures = node.figures.last;
  const { region } = node;
  // A database that was set back shows what it was until it is itself again.
  if (figures === null || region.isGone || !region.isWhole) return;
  for (const peer of figures.peers) {
    const other = world.regionOf(peer.peer);
    const { nowMs } = world.scheduler;
    const ownMs = node.clock.nowMs();
    world.offsets.note(region.id, other.id, { offset: peer.clockOffset, nowMs, ownMs });
    if (!knowsOwnClock(region, nowMs)) continue;
    const view = viewPeer(figures, peer, ownMs);
    if (world.offsets.knowsOffset(region, other))
      void judgeLag(world, node, { other, view, usesEarlier: usesEarlier(peer) });
    if (!other.isGone && other.isWhole) void judgeRpo(world, node, { other, view });
  }
}

interface Seen {
  readonly other: SimRegion;
  readonly view: PeerView;
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
  { other, view, usesEarlier: isEarlier }: Seen & { readonly usesEarlier: boolean },
): Promise<void> {
  const { clockOffset, lag } = view;
  const errorMs = clockOffset === null ? 0 : errorNow(clockOffset, node.clock.nowMs());
  const truth = await world.oracle.lag(other.identity, node.region);
  const tangledAtMs = world.offsets.tangledAtMs(node.region, other);
  const beatAtMs = world.scheduler.nowMs - truth.newestBeatMs;
  if (tangledAtMs !== null && (isEarlier || beatAtMs < tangledAtMs)) return;
  const setBackMs = isEarlier ? world.offsets.setBackMs(node.region, other, beatAtMs) : 0;
  const setAheadMs = world.offsets.setAheadMs(node.region, other, beatAtMs);
  judge(world, node, {
    gauge: 'lag',
    place: `${node.region.id} of ${other.id}`,
    shownMs: milliseconds(lag.seconds),
    leastMs: Math.max(0, truth.oldestChangeMs - errorMs),
    mostMs: truth.newestBeatMs + errorMs + setBackMs + setAheadMs,
  });
}

async function judgeRpo(world: World, node: SimNode, { other, view }: Seen): Promise<void> {
  const { id, identity } = node.region;
  const truth = await world.oracle.lag(identity, other);
  // An age is that of a beat, which may lie before a jump that all that is missing came after.
  const hiddenMs = hiddenIn(world, node.region, Math.max(truth.oldestChangeMs, truth.newestBeatMs));
  judge(world, node, {
    gauge: 'rpo',
    place: `${id} at ${other.id}`,
    shownMs: milliseconds(view.rpo.seconds),
    leastMs: Math.max(0, truth.oldestChangeMs - hiddenMs),
    mostMs: Infinity,
  });
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

export function judgeCut(
  world: World,
  { a, b, startedAtMs }: { readonly a: SimRegion; readonly b: SimRegion; readonly startedAtMs: number },
): void {
  const cutForMs = world.scheduler.nowMs - startedAtMs;
  if (cutForMs < cutNoticedMs) return;
  world.seen(cutForMs < longCutMs ? 'long cut' : 'cut of more than a minute');
  for (const [here, there] of [
    [a, b],
    [b, a],
  ] as const) {
    if (here.isGone) continue;
    for (const node of world.nodesOf(here.id)) {
      const link = node?.links.links.find(({ peer }) => peer === there.id);
      if (node?.isOpen !== true || link?.state.kind !== 'connected') continue;
      const detail = `says connected although nothing passes since ${Math.round(startedAtMs)} ms`;
      world.violations.push({ checker: 'links', key: `${here.id} to ${there.id}`, detail });
    }
  }
}

function judge(world: World, node: SimNode, reading: GaugeReading): void {
  const violation = checkGauge(reading);
  const { shownMs, mostMs } = reading;
  const place = `${node.process.name} ${reading.place}`;
  const isHigh = violation !== null && shownMs !== null && shownMs > mostMs;
  const { nowMs } = world.scheduler;
  const wasHigh = nowMs - (world.high.get(place) ?? -Infinity) <= successiveMs;
  if (isHigh) world.high.set(place, nowMs);
  else world.high.delete(place);
  // What was read a moment before much became visible at once is right for that moment.
  if (violation === null || (isHigh && !wasHigh)) return;
  const at = ` at ${Math.round(nowMs)} ms`;
  world.violations.push({ ...violation, detail: violation.detail + at });
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

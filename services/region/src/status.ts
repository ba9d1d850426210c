/**
 * The body of `GET /v1/status`. Every number is computed from the tables at the moment of asking; what is not known
 * is `null` and never zero, also where a peer has not been heard, a measurement is missing or the database does not
 * answer. Counts that may have changed since an older reading are withheld, while ages go on growing from it.
 */
import { isOpenIncident } from '@isthmus/replication/links/incident-machine';
import type { LinkKind } from '@isthmus/replication/links/link-monitor';
import type { IdentityState } from '@isthmus/replication/identity/identity-guard';
import { describeRelearning, type RelearningJudgement } from '@isthmus/replication/identity/relearning-judge';
import type { LinkView } from '@isthmus/replication/links/link-watch';
import type { Fate, FateCount } from '@isthmus/replication/ports/dead-letter-store';
import type { Clock } from '@isthmus/replication/ports/clock';
import { type Actor, actorOf, type Incarnation, type RegionId } from '@isthmus/replication/ports/identity';
import type { Incident } from '@isthmus/replication/ports/incident-store';
import type { Refill } from '@isthmus/replication/ports/refill-store';
import type { SlotHealth } from '@isthmus/replication/ports/slot-health';
import { type FigureReader, type PeerView, viewPeer } from '@isthmus/replication/progress/figures';
import type { TransferJob } from '@isthmus/replication/ports/transfer-jobs';
import type { Verification } from '@isthmus/replication/ports/verification';
import { judgeSlot, type SlotLevel } from '@isthmus/replication/relay/slot-watch';
import { rpoOfRegion } from '@isthmus/replication/progress/rpo';
import type { OriginStatus } from '@isthmus/replication/replicator';
import type { BarrierView } from '@isthmus/replication/tombstones/barriers';
import type { TroubleView } from '@isthmus/replication/trouble';
import { type RefillView, refillView } from './admin/region-view.ts';
import { type TransferView, transferView } from './admin/transfer-view.ts';
import type { RefusedView } from './refused-records.ts';
import { openMs, type Tombstones } from './tombstones.ts';
import { wallMs } from './wall-time.ts';

export interface PeerStatus {
  readonly region: RegionId;
  readonly link: LinkKind | null;
  readonly lagSeconds: number | null;
  readonly backlogChanges: number | null;
  readonly rpoSeconds: number | null;
  readonly rpoChanges: number | null;
  /** RFC 3339: everything that committed before is there. */
  readonly replicatedThrough: string | null;
  /** RFC 3339: both showed the same as of then, by the last clean sweep. */
  readonly verifiedThrough: string | null;
  /** Whether the last sweep found live data to differ though both sides were caught up. */
  readonly diverged: boolean | null;
  /** How far the own clock is ahead of the peer's. */
  readonly clockOffsetSeconds: number | null;
}

/** A partition that has stopped because a part of its log is missing. */
export interface GapStatus {
  readonly origin: RegionId;
  readonly partition: number;
  readonly cause: string;
}

/** How the collection of dead records stands; each is `null` where it is not known. */
export interface TombstoneStatus {
  readonly count: number | null;
  /** Number of the newest barrier that is complete; 0: none was needed yet. */
  readonly completed: number | null;
  /** Of the open barrier; `null` also where none is open. */
  readonly openSeconds: number | null;
  /** Regions whose word the open barrier waits for, where this process runs it. */
  readonly waitingFor: readonly RegionId[] | null;
}

export interface WaitingPartition {
  readonly origin: RegionId;
  readonly partition: number;
  /** `unreachable`: of the origin's log it alone has no leader, or one that does not answer. */
  readonly cause: 'dead-letters-full' | 'unreachable';
}

export interface Status {
  readonly region: RegionId;
  readonly actor: Actor;
  /** Its counter. */
  readonly incarnation: number;
  readonly version: string;
  readonly identity: IdentityState | null;
  /** What the region's own writes wait for after it has taken a new incarnation; `null`: nothing known of. */
  readonly relearning: string | null;
  /** Whether an operator has taken the region's writes away; `null`: unknown. */
  readonly drained: boolean | null;
  /** The newest wish to fill the region anew and how far it is; `null`: there was none, or it is unknown. */
  readonly refill: RefillView | null;
  readonly ready: boolean;
  /** Of the region: that of its best peer. */
  readonly rpoSeconds: number | null;
  readonly rpoChanges: number | null;
  readonly peers: readonly PeerStatus[];
  readonly collections: readonly string[];
  /** Partition windows that are not over, in which both sides wrote as far as can be told. */
  readonly incidents: { readonly open: number | null };
  readonly deadLetters: number | null;
  /** Of those that an operator gave up, what became of them. */
  readonly givenUpDeadLetters: Readonly<Record<Fate, number>> | null;
  /** Closed ones that are still kept. */
  readonly closedDeadLetters: number | null;
  /** Partitions that wait while others go on: there is no room for what they would put aside, or they cannot be read. */
  readonly waitingPartitions: readonly WaitingPartition[] | null;
  /** What this process does for the region and fails at now. */
  readonly troubles: readonly TroubleView[];
  readonly gaps: number | null;
  readonly openGaps: readonly GapStatus[] | null;
  /** What this process dropped out of logs, because nobody vouches for it. */
  readonly refusedRecords: readonly RefusedView[];
  /** Wanted or under way. */
  readonly transfers: number | null;
  readonly openTransfers: readonly TransferView[] | null;
  readonly tombstones: TombstoneStatus;
  /** What Postgres keeps for the relay; `null`: unknown. */
  readonly slot: (SlotHealth & { readonly level: SlotLevel }) | null;
}

export interface StatusInput {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly version: string;
  readonly peers: readonly RegionId[];
  readonly collections: readonly string[];
  readonly figures: Pick<FigureReader, 'read'>;
  readonly clock: Clock;
  readonly ready: () => Promise<boolean>;
  /** Links that this process watches. */
  readonly links: () => readonly LinkView[];
  /** Whether the database is proven to continue its past; `null` where another process looks after it. */
  readonly identity: IdentityState | null;
  readonly relearning: RelearningJudgement | null;
  readonly drained: boolean | null;
  /** Bounded in time; `null`: there is none, or the database does not say. */
  readonly refill: () => Promise<Refill | null>;
  readonly refused: readonly RefusedView[];
  /** Open gaps; `null` where this process applies nothing and cannot tell. */
  readonly gaps: () => readonly GapStatus[] | null;
  /** Incidents that have not ended; `null`: unknown. Bounded in time. */
  readonly incidents: () => Promise<readonly Incident[] | null>;
  /** `null`: unknown. Bounded in time. */
  readonly slot: () => Promise<SlotHealth | null>;
  /** Bounded in time; `null`: the database does not say. */
  readonly verifications: () => Promise<readonly Verification[] | null>;
  readonly transfers: () => Promise<readonly TransferJob[] | null>;
  /** Of dead letters that were given up. Bounded in time; `null`: the database does not say. */
  readonly fates: () => Promise<readonly FateCount[] | null>;
  readonly closedLetters: () => Promise<number | null>;
  /** `null` where this process applies nothing and cannot tell. */
  readonly waiting: () => readonly WaitingPartition[] | null;
  readonly troubles: readonly TroubleView[];
  /** Bounded in time; `null`: the database does not say. */
  readonly tombstones: () => Promise<Tombstones | null>;
  /** `null` where another process runs the barriers. */
  readonly barrier: () => BarrierView | null;
}

export async function statusOf(input: StatusInput): Promise<Status> {
  const [read, ready, incidents, slot, verified, transfers, tombstones, refill, fates, closed] =
    await Promise.all([
      input.figures.read(),
      input.ready(),
      input.incidents(),
      input.slot(),
      input.verifications(),
      input.transfers(),
      input.tombstones(),
      input.refill(),
      input.fates(),
      input.closedLetters(),
    ]);
  const nowMs = wallMs(input.clock);
  const { figures } = read;
  const views =
    figures === null || nowMs === null ? [] : figures.peers.map((peer) => viewPeer(figures, peer, nowMs));
  const best = rpoOfRegion(views.map(({ rpo }) => rpo));
  const openGaps = input.gaps();
  return {
    region: input.region,
    actor: actorOf(input.region, input.incarnation),
    incarnation: input.incarnation.counter,
    version: input.version,
    identity: input.identity,
    relearning: input.relearning === null ? null : describeRelearning(input.relearning),
    drained: input.drained,
    refill: refillView(refill),
    ready,
    rpoSeconds: best.seconds,
    rpoChanges: best.changes,
    peers: peerStatuses(input, views, verified),
    collections: input.collections,
    incidents: { open: incidents?.filter(isOpenIncident).length ?? null },
    deadLetters: read.isCurrent && figures !== null ? total(figures.deadLetters) : null,
    givenUpDeadLetters: fates && fatesOf(fates),
    closedDeadLetters: closed,
    waitingPartitions: input.waiting(),
    troubles: input.troubles,
    gaps: openGaps?.length ?? null,
    openGaps,
    refusedRecords: input.refused,
    transfers: transfers?.length ?? null,
    openTransfers: transfers?.map(transferView) ?? null,
    tombstones: tombstoneStatus(tombstones, input.barrier()),
    slot: slot === null ? null : { ...slot, level: judgeSlot(slot) },
  };
}

function tombstoneStatus(tombstones: Tombstones | null, barrier: BarrierView | null): TombstoneStatus {
  return {
    count: tombstones?.count ?? null,
    completed: tombstones?.barrier.completed ?? null,
    openSeconds: seconds(tombstones === null ? null : openMs(tombstones.barrier)),
    waitingFor: barrier?.waitingFor ?? null,
  };
}

function fatesOf(counts: readonly FateCount[]): Readonly<Record<Fate, number>> {
  const of = (fate: Fate): number => total(counts.filter((each) => each.fate === fate));
  return { waiting: of('waiting'), repaired: of('repaired'), lost: of('lost') };
}

function peerStatuses(
  input: StatusInput,
  views: readonly PeerView[],
  verified: readonly Verification[] | null,
): readonly PeerStatus[] {
  const links = input.links();
  return input.peers.map((peer) => {
    const view = views.find((candidate) => candidate.peer === peer) ?? null;
    const link = links.find((candidate) => candidate.peer === peer) ?? null;
    const proof = verified?.find((candidate) => candidate.peer === peer) ?? null;
    return {
      ...peerStatus(peer, view, link),
      verifiedThrough: rfc3339(proof?.throughMs ?? null),
      diverged: proof?.diverged ?? null,
    };
  });
}

function peerStatus(
  region: RegionId,
  view: PeerView | null,
  link: LinkView | null,
): Omit<PeerStatus, 'verifiedThrough' | 'diverged'> {
  return {
    region,
    link: link?.state.kind ?? null,
    lagSeconds: view?.lag.seconds ?? null,
    backlogChanges: view?.lag.backlogChanges ?? null,
    rpoSeconds: view?.rpo.seconds ?? null,
    rpoChanges: view?.rpo.changes ?? null,
    replicatedThrough: rfc3339(view?.rpo.replicatedThroughMs ?? null),
    clockOffsetSeconds: seconds(view?.clockOffset?.offsetMs ?? null),
  };
}

/** Partitions of an origin that stand before a gap. */
export function gapsOf({ origin, readings }: OriginStatus): readonly GapStatus[] {
  return readings.flatMap((reading, partition) =>
    reading.kind === 'gap' ? [{ origin, partition, cause: reading.cause }] : [],
  );
}

export function waitingOf({ origin, lackingRoom }: OriginStatus): readonly WaitingPartition[] {
  return lackingRoom.map((partition) => ({ origin, partition, cause: 'dead-letters-full' }));
}

function rfc3339(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}

function seconds(valueMs: number | null): number | null {
  return valueMs === null ? null : valueMs / 1000;
}

function total(counts: readonly { readonly count: number }[]): number {
  return counts.reduce((sum, { count }) => sum + count, 0);
}

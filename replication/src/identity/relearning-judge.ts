/**
 * When a new incarnation has learnt its past again and may take its first write (P9). Pure. The own log has been read
 * through in every partition and applied; where it does not hold everything, or nobody knows what peers were told, one
 * transfer from each peer stands in. A log that has lost its newest records shows no hole, and a peer that gives everything
 * may take more of an earlier life after that, so every peer that answers says how far it holds the earlier lives once it
 * comes no further, and whoever holds more is fetched from. What peers were told to be settled is settled again, because
 * they may have collected on that word; of a life that is over, from whoever still holds it, and the region whose life it
 * was has to say whether it does. What neither the log nor any peer holds is lost, and is said. Of the own lives it is
 * enough that they are applied: no write waits for a change of them that was put aside, but claims of rights do.
 */
import type { BeatOf } from '../ports/beat-store.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Relearning } from '../ports/incarnation-store.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { beyond, lacking, placeOf } from '../vector.ts';

export interface RelearningView {
  readonly region: RegionId;
  readonly partitionCount: number;
  readonly peers: readonly RegionId[];
  readonly relearning: Relearning;
  /** Of the own log; `null`: there is none beside the database. */
  readonly log: {
    readonly through: ReadonlySet<number>;
    readonly ends: Vector;
    /** A partition stands before a part of its past that the log does not hold. */
    readonly hasGap: boolean;
  } | null;
  readonly applied: Vector;
  readonly settled: Vector;
  /** Of others, lives of which a beat has settled: their past was given here. */
  readonly beats: readonly BeatOf[];
  /** Peers that are gone for good: others hold what is kept of them. */
  readonly closed: readonly RegionId[];
  /** Of these, the ones of which all that is kept has settled here: what lies beyond is nobody's. */
  readonly retired: readonly RegionId[];
  /** Peers from which all has been fetched since the incarnation began. */
  readonly fetched: ReadonlySet<RegionId>;
  /** Of these, whose last transfer had states that were put aside. */
  readonly refused: ReadonlySet<RegionId>;
  /** Peers whose last transfer since then came to nothing for good: this database can take nothing from them. */
  readonly failed: ReadonlySet<RegionId>;
  /** How far peers that will come no further hold the earlier lives. */
  readonly held: ReadonlyMap<RegionId, HeldPast>;
  /** How far peers that have answered hold other regions, and earlier lives of their own. */
  readonly others: ReadonlyMap<RegionId, Vector>;
  /** Peers that have not said so were asked for long enough: a region writes alone (I8). */
  readonly isPatienceOver: boolean;
}

export interface HeldPast {
  /** Of the own earlier lives. */
  readonly vector: Vector;
  /** How far a transfer that is not covered may have brought these. */
  readonly ahead: Vector;
}

export type RelearningJudgement =
  /** The database was emptied, and nothing is read before all has come from this peer. */
  | { readonly kind: 'filling'; readonly donor: RegionId }
  | { readonly kind: 'reading'; readonly partitions: number }
  | { readonly kind: 'applying'; readonly missing: VectorEntry }
  /** These have not said how far they hold the past. */
  | { readonly kind: 'asking'; readonly peers: readonly RegionId[] }
  /** All is still to be fetched from these. */
  | { readonly kind: 'fetching'; readonly peers: readonly RegionId[] }
  | { readonly kind: 'promised'; readonly missing: VectorEntry }
  /** `lost`: no log and no peer holds it. `isWhole`: all that anybody shows of the past is here. */
  | { readonly kind: 'learnt'; readonly lost: Vector; readonly isWhole: boolean };

export function judgeRelearning(view: RelearningView): RelearningJudgement {
  const { log, partitionCount, relearning } = view;
  if (relearning.fill !== null) return { kind: 'filling', donor: relearning.fill };
  if (log !== null && log.through.size < partitionCount)
    return { kind: 'reading', partitions: partitionCount - log.through.size };
  const lost = (log?.ends ?? []).filter((end) => lacking(view.applied, [end]) !== null);
  const isRead = log !== null && !log.hasGap && !lost.some((end) => isReplaced(view.applied, end));
  const isWhole = isRead && relearning.promised !== null && holdsAll(view, log.ends);
  const unfetched = view.peers.filter((peer) => !view.fetched.has(peer) && !view.closed.includes(peer));
  const [missing] = lost;
  if (isWhole && missing !== undefined) return { kind: 'applying', missing };
  if (!isWhole && unfetched.length > 0) return { kind: 'fetching', peers: unfetched };
  const further = beyondKnown(view, isWhole ? unfetched : view.peers);
  if (further !== null) return further;
  const asked = view.peers.filter((peer) => !view.closed.includes(peer));
  const hasAll = asked.every((peer) => view.held.has(peer));
  if (hasAll && unfetched.length > 0 && isAheadOf(view, asked)) return { kind: 'fetching', peers: unfetched };
  const holders = unfetched.filter((peer) => isHolder(view, peer));
  if (holders.length > 0) return { kind: 'fetching', peers: holders };
  const promise = unkept(view).find((entry) => !isReplaced(view.settled, entry));
  if (promise !== undefined) return { kind: 'promised', missing: promise };
  const ungiven = ungivenOf(view);
  if (ungiven !== undefined) return { kind: 'promised', missing: ungiven };
  const ofOver = new Set(unkept(view).map(({ region }) => region));
  const unsaid = unfetched.filter((peer) => ofOver.has(peer) && !view.others.has(peer));
  if (unsaid.length > 0) return { kind: 'asking', peers: unsaid };
  // What such a peer has is not here, and comes with an operator's refill alone (I6).
  const failing = asked.filter((peer) => view.failed.has(peer));
  if (failing.length > 0) return { kind: 'fetching', peers: failing };
  const isAside = asked.some((peer) => view.refused.has(peer));
  return { kind: 'learnt', lost, isWhole: hasAll && unfetched.length === 0 && !isAside };
}

/** A transfer may have brought to one of these what its log has lost since, and no position will ever cover that. */
function isAheadOf({ held, applied }: RelearningView, peers: readonly RegionId[]): boolean {
  return peers.some((peer) => lacking(applied, held.get(peer)?.ahead ?? []) !== null);
}

/** What else has to be known of these peers or fetched from them, where nothing shows that it is missing; `null`: nothing. */
function beyondKnown(
  { held, applied, closed, isPatienceOver }: RelearningView,
  peers: readonly RegionId[],
): RelearningJudgement | null {
  const asked = peers.filter((peer) => !closed.includes(peer));
  const silent = asked.filter((peer) => !held.has(peer));
  if (silent.length > 0 && !isPatienceOver) return { kind: 'asking', peers: silent };
  const further = asked.filter((peer) => lacking(applied, held.get(peer)?.vector ?? []) !== null);
  return further.length > 0 ? { kind: 'fetching', peers: further } : null;
}

/** In one sentence, for an operator. */
export function describeRelearning(judgement: RelearningJudgement): string {
  switch (judgement.kind) {
    case 'filling':
      return `the database is filled from ${judgement.donor}`;
    case 'reading':
      return `the own log is still to be read in ${judgement.partitions} partitions`;
    case 'applying':
      return `the own log is not applied up to ${show(judgement.missing)}`;
    case 'asking':
      return `${judgement.peers.join(', ')} may hold more of the past than was read or fetched, and do not say so yet`;
    case 'fetching':
      return `all is to be fetched from ${judgement.peers.join(', ')}, because the own log does not hold it`;
    case 'promised':
      return `peers were told of ${show(judgement.missing)}, which is not settled again`;
    case 'learnt':
      return 'the past is learnt';
  }
}

export function show({ region, incarnation, partition, lsn }: VectorEntry): string {
  return `${region}.${incarnation.counter}/${partition} at ${lsn}`;
}

/** Whether something of every life that the database was taken from is in every partition of the log. */
function holdsAll({ region, partitionCount, relearning }: RelearningView, ends: Vector): boolean {
  const seen = new Set(ends.map(placeOf));
  const partitions = Array.from({ length: partitionCount }, (_, partition) => partition);
  return relearning.pasts.every(({ incarnation }) =>
    partitions.every((partition) => seen.has(placeOf({ region, incarnation, partition }))),
  );
}

/** What was promised of regions that still are peers, and is not settled. Beyond the end of a retired one nothing comes (P8). */
function unkept({ peers, retired, relearning, settled }: RelearningView): Vector {
  const promised = (relearning.promised ?? []).filter(
    ({ region }) => peers.includes(region) && !retired.includes(region),
  );
  return beyond(promised, settled);
}

/** What was promised of a later life is kept once what its region shows of the lives before has come as well (P9). */
function ungivenOf({ peers, closed, relearning, beats }: RelearningView): VectorEntry | undefined {
  return (relearning.promised ?? []).find(({ region, incarnation }) => {
    if (incarnation.counter === 1 || !peers.includes(region) || closed.includes(region)) return false;
    return !beats.some(
      (given) =>
        given.region === region &&
        (given.incarnation.counter > incarnation.counter || sameIncarnation(given.incarnation, incarnation)),
    );
  });
}

/** No log brings what is missing of a life once a newer one of its region is read. */
function isReplaced(reached: Vector, { region, partition, incarnation }: VectorEntry): boolean {
  return reached.some(
    (later) =>
      later.region === region &&
      later.partition === partition &&
      later.incarnation.counter > incarnation.counter,
  );
}

/** Has more than is here of what was promised and no log brings. */
function isHolder(view: RelearningView, peer: RegionId): boolean {
  const others = view.others.get(peer) ?? [];
  const missing = unkept(view).filter((entry) => isReplaced(view.settled, entry));
  return missing.some((entry) =>
    beyond(others, view.settled).some((held) => placeOf(held) === placeOf(entry)),
  );
}

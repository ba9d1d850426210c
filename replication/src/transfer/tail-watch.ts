/**
 * Who holds more of a silent origin than we do (P6): where an origin has not been heard for a while, be it dead or cut
 * off from us alone, a peer that has settled more of it gives us its tail, and one that has been given its past gives us that
 * (0074). An origin that is heard brings its changes itself, so nothing is ever fetched on account of mere lag. Pure.
 */
import { ageMs } from '../age.ts';
import type { HeardBeat } from '../ports/beat-store.ts';
import type { Life, RegionId } from '../ports/identity.ts';
import type { TransferWish } from '../ports/transfer-jobs.ts';
import type { Vector } from '../ports/vector.ts';
import { lacking } from '../vector.ts';

/** An origin that was not heard for this long is silent. */
const silentMs = 10_000;
/** What a peer told longer ago may have been taken back by a new life of it. */
const toldFreshMs = 5000;

/** What a peer has settled of all origins. */
export interface Told {
  readonly peer: RegionId;
  readonly settled: Vector;
  /** Lives of which it has settled a beat, so it does not await the past before them. */
  readonly given: readonly Life[];
  /** By the own clock, like all moments here. */
  readonly atMs: number;
}

export interface TailView {
  readonly peers: readonly RegionId[];
  readonly told: readonly Told[];
  readonly heard: readonly HeardBeat[];
  /** Regions that have not given their past here. */
  readonly awaited: readonly RegionId[];
  /** Regions of which nothing is taken any more, from their own logs or from them: as good as silent. */
  readonly closed: readonly RegionId[];
  /** Since when we listen: before that nobody can be called silent. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

type Listening = Omit<TailView, 'told' | 'awaited'>;

/** Peers that are silent. */
export function silentPeers({ peers, heard, closed, sinceMs, nowMs }: Listening): readonly RegionId[] {
  return peers.filter((peer) => {
    if (closed.includes(peer)) return true;
    const beat = heard.find(({ origin }) => origin === peer);
    // A moment that lies ahead is from before the clock was set back, so nothing was heard since.
    const ages = [sinceMs, beat?.receivedAtMs ?? 0].map((atMs) => ageMs(nowMs, atMs) ?? Infinity);
    return Math.min(...ages) > silentMs;
  });
}

/** At most one wish for each silent origin: from the first peer that has more, or what is awaited. */
export function tailsOf(view: TailView, settled: Vector): readonly TransferWish[] {
  return silentPeers(view).flatMap((origin) => {
    const donor = view.told.find(
      (told) =>
        told.peer !== origin &&
        !view.closed.includes(told.peer) &&
        (ageMs(view.nowMs, told.atMs) ?? Infinity) < toldFreshMs &&
        (lacking(settled, ofOrigin(told.settled, origin)) !== null ||
          (view.awaited.includes(origin) && hasPast(told, origin, ofOrigin(settled, origin)))),
    );
    return donor === undefined ? [] : [{ donor: donor.peer, origin, cause: 'tail', isDryRun: false }];
  });
}

/** Of the life that the origin is known under here. */
function hasPast({ given }: Told, origin: RegionId, known: Vector): boolean {
  const newest = Math.max(...known.map(({ incarnation }) => incarnation.counter));
  return given.some((life) => life.region === origin && life.incarnation.counter >= newest);
}

function ofOrigin(vector: Vector, origin: RegionId): Vector {
  return vector.filter(({ region }) => region === origin);
}

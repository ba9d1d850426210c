/**
 * The origin's view (P7): what would be lost if this region died now, for each peer and for the own log. Time is
 * measured from the newest *counted* beat with the count that the other side has settled, so it grows when the relay
 * is dead although beats are young, when a link is cut, and when the other side restarts; and it stays near one beat
 * interval while nobody writes, because that beat is then the newest one. `null` means unknown and is never to be
 * shown as zero; whoever exports a number turns an unknown age into infinity.
 */
import { ownAgeMs } from '../age.ts';
import { changesBetween } from '../change-count.ts';
import type { OwnBeats, RpoFigures } from '../ports/beat-store.ts';
import { beatIntervalMs } from './beat-interval.ts';

export interface Rpo {
  /** Age of the oldest own commit that may be missing there; `null`: unknown, take it as unbounded. */
  readonly seconds: number | null;
  /** Own changes missing there as far as counted; `null`: unknown. */
  readonly changes: number | null;
  /** Everything that committed before this moment of the own clock is there; `null`: unknown. */
  readonly replicatedThroughMs: number | null;
}

const unknownRpo: Rpo = {
  seconds: null,
  changes: null,
  replicatedThroughMs: null,
};

/** `figures` must have been read before `own`, so that a count settled meanwhile cannot exceed the newest one. */
export function rpoOfPeer(figures: RpoFigures | null, own: OwnBeats, nowMs: number): Rpo {
  if (figures === null) return unknownRpo;
  return rpoOf(figures.coveredAtMs, figures.settledCount, { own, nowMs });
}

/** `peer="log"`: what would be lost if the database died and the own log stayed. */
export function rpoOfLog(own: OwnBeats, nowMs: number): Rpo {
  return rpoOf(own.logCoveredAtMs, own.logCount, { own, nowMs });
}

/** A region's RPO is the least over its peers; `null` where no peer's is known. */
export function rpoOfRegion(peers: readonly Rpo[]): Rpo {
  let least = unknownRpo;
  for (const rpo of peers) if (isLess(rpo.seconds, least.seconds)) least = rpo;
  return least;
}

function isLess(seconds: number | null, than: number | null): boolean {
  return seconds !== null && (than === null || seconds < than);
}

function rpoOf(
  coveredAtMs: number | null,
  settledCount: number | null,
  at: { readonly own: OwnBeats; readonly nowMs: number },
): Rpo {
  const age = ownAgeMs(at.nowMs, coveredAtMs, at.own.newest);
  const changes = coveredAtMs === null ? null : missingChanges(settledCount, at);
  if (age === null) return { ...unknownRpo, changes };
  return { seconds: age / 1000, changes, replicatedThroughMs: coveredAtMs };
}

function missingChanges(
  settledCount: number | null,
  at: { readonly own: OwnBeats; readonly nowMs: number },
): number | null {
  const counted = at.own.newestCounted;
  const countedAge = ownAgeMs(at.nowMs, counted?.atMs ?? null, at.own.newest);
  if (countedAge === null || countedAge > 2 * beatIntervalMs) return null;
  if (settledCount === null || counted === null || counted.count === null) return null;
  const missing = changesBetween(settledCount, counted.count);
  return missing === null || missing < 0 ? null : missing;
}

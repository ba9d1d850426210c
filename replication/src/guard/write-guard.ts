/**
 * Whether a collection takes a write now, by the guard that its owner chose (P7). Decided on local knowledge alone, so
 * that a region that is cut off decides as well as any other: a home region always binds, and a budget refuses while
 * fewer peers than it names have confirmed what was written here within its bounds. What is unknown counts as outside.
 * Pure; reads are never guarded, and nothing here looks at the links.
 */
import type { RegionId } from '../ports/identity.ts';

export type Guard =
  | { readonly kind: 'accept' }
  | { readonly kind: 'home-region'; readonly region: RegionId }
  | Budget;

/** At least one of the bounds is set. */
export interface Budget {
  readonly kind: 'budget';
  /** Oldest own commit that a peer may lack; `null`: of every age. */
  readonly seconds: number | null;
  /** Own changes that a peer may lack; `null`: as many as there are. */
  readonly changes: number | null;
  /** Peers that must be within both bounds. */
  readonly peers: number;
}

/** What was last read of one peer's RPO. Moments are monotonic. */
export interface PeerBacklog {
  readonly peer: RegionId;
  /** Age of the oldest own commit that it may lack, when it was read; `null`: unknown. */
  readonly ageMs: number | null;
  readonly readAtMs: number;
  /** Own changes that it lacks, and when that was last known; `null`: never. */
  readonly changes: { readonly count: number; readonly knownAtMs: number } | null;
}

export type Verdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'not-home'; readonly home: RegionId }
  /** So many peers are within the budget. */
  | { readonly kind: 'over-budget'; readonly budget: Budget; readonly within: number };

/** A count of changes is believed for so long, because beats that come a little late leave it unknown for a moment. */
export const changesKnownForMs = 1000;

const accept: Verdict = { kind: 'accept' };

/** `nowMs` is monotonic. */
export function judgeWrite(
  guard: Guard,
  self: RegionId,
  known: { readonly backlogs: readonly PeerBacklog[]; readonly nowMs: number },
): Verdict {
  switch (guard.kind) {
    case 'accept':
      return accept;
    case 'home-region':
      return guard.region === self ? accept : { kind: 'not-home', home: guard.region };
    case 'budget': {
      const { backlogs, nowMs } = known;
      const within = backlogs.filter((backlog) => isWithin(guard, backlog, nowMs)).length;
      return within >= guard.peers ? accept : { kind: 'over-budget', budget: guard, within };
    }
    default:
      return guard satisfies never;
  }
}

function isWithin({ seconds, changes }: Budget, backlog: PeerBacklog, nowMs: number): boolean {
  return isYoung(seconds, backlog, nowMs) && isSmall(changes, backlog, nowMs);
}

/** An age goes on growing from where it was read, so a process that was stopped refuses until it has read anew. */
function isYoung(seconds: number | null, { ageMs, readAtMs }: PeerBacklog, nowMs: number): boolean {
  if (seconds === null) return true;
  return ageMs !== null && ageMs + (nowMs - readAtMs) <= seconds * 1000;
}

function isSmall(limit: number | null, { changes }: PeerBacklog, nowMs: number): boolean {
  if (limit === null) return true;
  return changes !== null && nowMs - changes.knownAtMs <= changesKnownForMs && changes.count <= limit;
}

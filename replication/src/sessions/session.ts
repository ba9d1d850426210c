/**
 * What a session has seen and written, and whether a region includes it (P5). A write adds its own place; a read, and a
 * write because its reply shows the record, adds how far the region stood in the record's partition, and what transfers
 * may have brought ahead of that. The issuer is satisfied by what it has applied, so that a change that was put aside
 * does not fail sessions at home; everyone else by what is settled, of `ahead` too, or a client that moves on from what a
 * transfer brought would go back in time. It promises read-your-writes and monotonic reads per record, not causality
 * between records. Pure.
 */
import type { Lsn } from '../ports/change.ts';
import { type Life, sameIncarnation, sameLife } from '../ports/identity.ts';
import type { SeenCommit, SessionPlace, Sight } from '../ports/session-store.ts';
import type { Vector, VectorEntry, WholePast } from '../ports/vector.ts';
import { greatestOf, lacking, outside, placeOf } from '../vector.ts';

export type Issuer = Life;

export interface Session {
  readonly issuer: Issuer;
  readonly vector: Vector;
  readonly ahead: Vector;
}

export type SessionJudgement =
  | { readonly kind: 'reached' }
  | { readonly kind: 'waiting'; readonly missing: VectorEntry }
  /** The log of that incarnation ended before it, or its region was retired: what was written there may be lost. */
  | { readonly kind: 'lost'; readonly missing: VectorEntry; readonly endedAt: Lsn };

export function newSession({ region, incarnation }: Issuer): Session {
  return { issuer: { region, incarnation }, vector: [], ahead: [] };
}

/**
 * As the region goes on with it: another's demand becomes the session's own, all of it but what may be ahead of pasts that
 * are whole here. That is here, no position says so, and what is read here names it again.
 */
export function accepted(self: Issuer, session: Session, whole: readonly WholePast[] = []): Session {
  if (isIssuer(self, session)) return session;
  return { ...newSession(self), vector: demandOf(session, whole) };
}

function demandOf({ vector, ahead }: Session, whole: readonly WholePast[]): Vector {
  return greatestOf(vector, outside(ahead, whole));
}

export function judgeSession(self: Issuer, place: SessionPlace, session: Session): SessionJudgement {
  const isOwn = isIssuer(self, session);
  const demand = (isOwn ? session.vector : demandOf(session, place.whole)).filter(
    (entry) => !isWrittenHere(self, place, entry),
  );
  const missing = lacking(isOwn ? place.applied : place.settled, demand);
  if (missing === null) return { kind: 'reached' };
  // One that is only late must not hide one that never comes.
  const reached = isOwn ? place.applied : place.settled;
  for (const entry of demand) {
    const endedAt = endOf(self, entry, place);
    if (endedAt !== null && endedAt < entry.lsn && lacking(reached, [entry]) !== null)
      return { kind: 'lost', missing: entry, endedAt };
  }
  return { kind: 'waiting', missing };
}

/** `null`: its log goes on, or the past that it belongs to has not come yet. */
function endOf(self: Issuer, entry: VectorEntry, { closed, retired, settled }: SessionPlace): Lsn | null {
  const end = closed.find((ended) => placeOf(ended) === placeOf(entry));
  if (end !== undefined) return end.lsn;
  const isUnheardOf = entry.region !== self.region && settled.some((later) => isAfter(later, entry));
  return isUnheardOf || retired.includes(entry.region) ? 0n : null;
}

/** Whoever reads a later life takes nothing of those before out of any log. */
function isAfter(later: VectorEntry, { region, partition, incarnation }: VectorEntry): boolean {
  const isOneLog = later.region === region && later.partition === partition;
  return isOneLog && later.incarnation.counter > incarnation.counter;
}

/** `place` was read by the statement that read the records, or by a later one. */
export function afterRead(
  session: Session,
  place: Sight & Pick<SessionPlace, 'insertLsn'>,
  partitions: ReadonlySet<number>,
): Session {
  const seen = place.applied.filter(({ partition }) => partitions.has(partition));
  const { region, incarnation } = session.issuer;
  const own = [...partitions].map((partition) => ({ region, incarnation, partition, lsn: place.insertLsn }));
  return {
    issuer: session.issuer,
    vector: greatestOf(session.vector, [...seen, ...own]),
    ahead: greatestOf(session.ahead, place.ahead),
  };
}

/** Its reply shows the records as they are now, so it is a read as well. */
export function afterWrite(
  session: Session,
  partitions: ReadonlySet<number>,
  { end, seen }: SeenCommit,
): Session {
  const { applied, ahead } = seen;
  return afterRead(session, { applied, ahead, insertLsn: end }, partitions);
}

function isIssuer(self: Issuer, { issuer }: Session): boolean {
  return sameLife(self, issuer);
}

function isWrittenHere({ region, incarnation }: Issuer, place: SessionPlace, entry: VectorEntry): boolean {
  return (
    entry.region === region &&
    sameIncarnation(entry.incarnation, incarnation) &&
    entry.lsn <= place.ownThrough
  );
}

/**
 * Incidents of this region, durable: one row for each time that a link to a peer was in doubt, from the last moment
 * that it was known to be well until both sides hold the same again (P7). A peer has at most one that has not ended.
 * Rows are replaced by compare-and-set on their revision, so two processes that both believe to be in charge do no
 * harm. Conflicts found while changes of the peer are applied are noted with its open incident by the record store,
 * in the transaction that applies them, so none is lost with a process. Every method rejects as the database does
 * (`errors.ts`).
 */
import type { RecordId } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { SweepDigests } from './sweeps.ts';

export const incidentStates = [
  'suspected',
  'one-way-in',
  'one-way-out',
  'stalled',
  'partitioned',
  'healing',
  'reconciled',
] as const;

export type IncidentState = (typeof incidentStates)[number];

/** A place in what a region has written: one of its beats, and the changes before it (`null`: not counted). */
export interface Mark {
  readonly incarnation: Incarnation;
  readonly beat: number;
  readonly count: number | null;
}

/** One value for this region, one for the peer. */
export interface Sides<T> {
  readonly own: T;
  readonly peer: T;
}

export interface NewIncident {
  readonly peer: RegionId;
  readonly state: IncidentState;
  /** When the link was last known to be well. This and all other moments: own clock. */
  readonly startedAtMs: number;
  /** When it was first called broken; `null`: it is only suspected. */
  readonly declaredAtMs: number | null;
  /** When the link was connected again; `null`: it is not. */
  readonly healedAtMs: number | null;
  /** When both sides had settled `until`; `null`: they have not. */
  readonly settledAtMs: number | null;
  readonly endedAtMs: number | null;
  /** What the other side was known to hold when it began. */
  readonly from: Sides<Mark | null>;
  /** What each side had written when the link was well again: the vector at heal. */
  readonly until: Sides<Mark> | null;
  /** Changes of each side in the window that the other had not seen; `null`: unknown. */
  readonly writes: Sides<number | null>;
  /** Of the clean sweep that ended it. */
  readonly digests: SweepDigests | null;
}

export interface Incident extends NewIncident {
  /** Counts up; unique in the region. */
  readonly number: number;
  readonly revision: number;
  /** Records found in conflict; beyond those that are listed one may be counted more than once. */
  readonly conflictCount: number;
}

export interface IncidentConflict extends RecordId {
  readonly fields: number;
}

/** Records in conflict that an incident lists by name. */
export const maxListedConflicts = 1000;

export interface IncidentStore {
  /** Those that have not ended, in order of number. */
  open(): Promise<readonly Incident[]>;
  /** `null`: the peer has one that has not ended. */
  create(incident: NewIncident): Promise<Incident | null>;
  /** Replaces what `NewIncident` holds. `false`: somebody else has changed or dropped it since it was read. */
  replace(incident: Incident): Promise<boolean>;
  /** Forgets a suspicion that came to nothing. `false` as above. */
  drop(incident: Incident): Promise<boolean>;
  /** Newest first, numbers below `before`; `null`: from the newest on. */
  list(query: { readonly before: number | null; readonly limit: number }): Promise<readonly Incident[]>;
  find(number: number): Promise<Incident | null>;
  /** In order of collection and key; at most `maxListedConflicts`. */
  conflicts(number: number): Promise<readonly IncidentConflict[]>;
}

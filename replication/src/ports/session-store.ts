/**
 * How far a region's database stands, for the promises that sessions make (P5); read in one statement. Rejects as the
 * database does (`errors.ts`).
 */
import type { Lsn } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { Vector, WholePast } from './vector.ts';

export interface SessionPlace {
  /** As which the database was read: one that was emptied is another, and shows less than the one before did (P6, P9). */
  readonly incarnation: Incarnation;
  readonly applied: Vector;
  /**
   * `applied`, but stopping before what was put aside, and without lives whose region's past is awaited: whoever was there
   * may have seen that too (P9).
   */
  readonly settled: Vector;
  /** What transfers that are not complete may have brought beyond that. */
  readonly ahead: Vector;
  /** Pasts that are whole here, without those of which a change lies aside: of their lives nothing more is ahead. */
  readonly whole: readonly WholePast[];
  /** Where the logs of incarnations have ended; of a region that is retired, up to where it is kept. */
  readonly closed: Vector;
  /** Regions that are retired: nothing of them will come that `closed` does not name. */
  readonly retired: readonly RegionId[];
  /** Own insert position: beyond every own commit that a statement before this one could see. */
  readonly insertLsn: Lsn;
  /**
   * Up to there every own commit is in the database. On a server that was proven to continue the past it is where the
   * log ends now; on any other the newest beat, because what an older copy writes of itself soon lies beyond what it lacks.
   */
  readonly ownThrough: Lsn;
}

/** How far what others wrote may have been in what a transaction read. */
export type Sight = Pick<SessionPlace, 'applied' | 'ahead'>;

/** A commit whose caller is shown what became of its records. */
export interface SeenCommit {
  /** Not below the commit's end. */
  readonly end: Lsn;
  readonly seen: Sight;
}

export interface SessionStore {
  /**
   * Changes whenever the database may have crashed: what was applied before, and not flushed, is gone then, so a place
   * that was read before may be ahead of what is there (P4).
   */
  readonly era: number;
  place(): Promise<SessionPlace>;
}

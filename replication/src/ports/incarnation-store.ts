/**
 * What a region's database knows of incarnations that are over: where the log of each has ended (F of P9), and, after it
 * has taken a new one itself, what it has to learn again of its own past before it takes a write. Plain facts; whoever
 * reads logs or runs transfers writes them down. Every method rejects as the database does (`errors.ts`).
 */
import type { Lsn } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { Vector, VectorEntry, WholePast } from './vector.ts';

/** A life that the database was taken from. */
export interface OwnPast {
  readonly incarnation: Incarnation;
  /** Everything of it up to there is in the database; 0 where nothing is known to be. */
  readonly through: Lsn;
}

export interface Relearning {
  /** Oldest first. */
  readonly pasts: readonly OwnPast[];
  /**
   * What peers were told that the region had settled: they may have collected on that word. `null`: nobody knows what
   * they were told.
   */
  readonly promised: Vector | null;
  /** Since when, by the database's clock. Only to be shown: that clock may have been set since. */
  readonly sinceMs: number;
  /** Transfers with this number or a higher one, and no others, were wanted in the present life. */
  readonly firstJob: number;
  /** The database was emptied, and is to be filled from this peer before anything else; `null`: it was not, or is filled. */
  readonly fill: RegionId | null;
  /** The region takes local writes although something is left to be learnt. */
  readonly isOpen: boolean;
}

export interface IncarnationStore {
  /** The first word about a partition of an incarnation stays. */
  close(ended: VectorEntry): Promise<void>;
  /** Where the logs of incarnations have ended, all regions'. */
  closed(): Promise<Vector>;
  /** `null`: the past is known, and the region takes writes. */
  relearning(): Promise<Relearning | null>;
  /** All has come from the peer that the database was to be filled from. */
  filled(): Promise<void>;
  /**
   * Whether every process takes local writes from now on, while learning goes on. No database that is being filled is
   * opened.
   */
  setOpen(isOpen: boolean): Promise<void>;
  /**
   * Nothing is left to be learnt: every process of the region takes writes from now on. `whole`: the own past, where all
   * that anybody shows of it has come; `null` where somebody may show more.
   */
  relearnt(whole: WholePast | null): Promise<void>;
}

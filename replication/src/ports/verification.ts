/**
 * What sweeps have proven (P7): through which moment this region and a peer are known to show the same, and whether
 * the last sweep found them to differ. Kept in the database, so that every process of the region says the same. Sweeps of
 * a peer are numbered in the order in which they began, and what a sweep proves is told by its number: the moments are
 * for people, because a clock that is set back would make an older sweep the younger one (0068). Every method rejects
 * as the database does (`errors.ts`).
 */
import type { RegionId } from './identity.ts';

export interface Verification {
  readonly peer: RegionId;
  /** Begin of the last clean sweep by the own database clock, to be shown; `null`: there was none. */
  readonly throughMs: number | null;
  /** Number of the last sweep that came to its end, where it was clean; `null`: it was not, or its number is unknown. */
  readonly cleanSweep: number | null;
  /** `null`: no sweep has come to its end. */
  readonly diverged: boolean | null;
  /** When the last sweep that came to its end did so. */
  readonly sweptAtMs: number | null;
  /** A sweep was asked for and has not begun since. */
  readonly isWanted: boolean;
}

export interface SweepResult {
  /** As `began` gave it. */
  readonly sweep: number;
  readonly startedAtMs: number;
  /** Records whose live data differs though both sides are caught up, or of which a side cannot be read. */
  readonly diverged: number;
}

export interface VerificationStore {
  all(): Promise<readonly Verification[]>;
  /** Of these peers. By peer the number of the next sweep that begins: one that is under way has a lower one. */
  want(peers: readonly RegionId[]): Promise<ReadonlyMap<RegionId, number>>;
  /** Before anything is read for it. The number of this sweep: one more than the sweep of the peer before it. */
  began(peer: RegionId): Promise<number>;
  /** Changes nothing where a sweep that began later has been clean. */
  ended(peer: RegionId, result: SweepResult): Promise<void>;
}

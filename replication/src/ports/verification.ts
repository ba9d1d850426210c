/**
 * What sweeps have proven (P7): through which moment this region and a peer are known to show the same, and whether
 * the last sweep found them to differ. Kept in the database, so that every process of the region says the same.
 */
import type { RegionId } from './identity.ts';

export interface Verification {
  readonly peer: RegionId;
  /** Begin of the last clean sweep by the own database clock; `null`: there was none. */
  readonly throughMs: number | null;
  /** `null`: no sweep has come to its end. */
  readonly diverged: boolean | null;
  /** When the last sweep that came to its end did so. */
  readonly sweptAtMs: number | null;
  /** A sweep was asked for and has not begun since. */
  readonly isWanted: boolean;
}

export interface SweepResult {
  readonly startedAtMs: number;
  /** Records whose live data differs though both sides are caught up, or of which a side cannot be read. */
  readonly diverged: number;
}

export interface VerificationStore {
  all(): Promise<readonly Verification[]>;
  /** Of these peers. */
  want(peers: readonly RegionId[]): Promise<void>;
  began(peer: RegionId): Promise<void>;
  ended(peer: RegionId, result: SweepResult): Promise<void>;
}

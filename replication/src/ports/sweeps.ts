/**
 * What comparing everything with a peer has shown. A sweep is clean where nothing diverged that both sides had
 * settled (P7). Whoever asks says since when, because an older sweep proves nothing of what was written after it.
 */
import type { RegionId } from './identity.ts';

/** Digests of each collection on both sides, by its name; those that both sides could tell. */
export interface SweepDigests {
  readonly own: Readonly<Record<string, string>>;
  readonly peer: Readonly<Record<string, string>>;
}

export interface WantedSweep {
  /** Own clock. */
  readonly sinceMs: number;
  /** Neither side writes, so that what is read of both one after the other can be equal. */
  readonly isStill: boolean;
  /** Nobody waits for the answer any more: it comes soon then, and says nothing. */
  readonly signal: AbortSignal;
}

export interface Sweeps {
  /** The digests of a clean sweep of both sides that began after `sinceMs`; `null`: none yet. It may take minutes. */
  cleanSweepSince(peer: RegionId, wanted: WantedSweep): Promise<SweepDigests | null>;
}

/**
 * What comparing everything with a peer has shown. A sweep is clean where nothing diverged that both sides had
 * settled (P7). Whoever asks says since when, because an older sweep proves nothing of what was written after it.
 */
import type { RegionId } from './identity.ts';

/** Digests of each collection on both sides, by its name. */
export interface SweepDigests {
  readonly own: Readonly<Record<string, string>>;
  readonly peer: Readonly<Record<string, string>>;
}

export interface Sweeps {
  /**
   * The digests of a clean sweep of both sides that began after this moment of the own clock; `null`: none yet.
   * `isStill`: neither side writes, so that what is read of both one after the other can be equal.
   */
  cleanSweepSince(peer: RegionId, sinceMs: number, isStill: boolean): Promise<SweepDigests | null>;
}

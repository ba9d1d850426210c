/**
 * What comparing everything with a peer has shown. A sweep is clean where nothing diverged that both sides had
 * settled (P7). Whoever asks says since when, because an older sweep proves nothing of what was written after it. That
 * moment has a name and no time: a clock that was set back would let an older sweep count (0068). Rejects as the own
 * database does (`errors.ts`), and where a digest meets a record that cannot be read, with `malformed-record` or
 * `newer-format`. A peer that does not answer is no clean sweep.
 */
import type { RegionId } from './identity.ts';

/** Digests of each collection on both sides, by its name; those that both sides could tell. */
export interface SweepDigests {
  readonly own: Readonly<Record<string, string>>;
  readonly peer: Readonly<Record<string, string>>;
}

export interface WantedSweep {
  /**
   * Names a moment that is over. What was compared before anybody asked with this name does not count. With another
   * name of the same peer all begins anew.
   */
  readonly since: string;
  /** Neither side writes, so that what is read of both one after the other can be equal. */
  readonly isStill: boolean;
  /** A comparison may begin for it, which reads much of both sides. Otherwise it is only told what one has shown. */
  readonly mayCompare: boolean;
  /** Nobody waits for the answer any more: it comes soon then, and says nothing. */
  readonly signal: AbortSignal;
}

export interface Sweeps {
  /** The digests of a clean sweep of both sides that began after `since`; `null`: none yet. It may take minutes. */
  cleanSweepSince(peer: RegionId, wanted: WantedSweep): Promise<SweepDigests | null>;
}

/**
 * A peer's log, to read across the link. It is pulled, so that a slow applier holds back the feed and not its own
 * memory; what is fetched but unread is bounded in bytes. Offsets are hints: a feed may deliver again, skip or start
 * anew (a truncated or re-created topic), and the intervals in the records are what tells (P2). A dead or silent
 * server is left within seconds and the feed rebuilds itself without end, with its state visible.
 */
import type { Lsn } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';

export interface FeedRecord {
  readonly offset: bigint;
  readonly bytes: Uint8Array;
}

export interface FeedBatch {
  readonly partition: number;
  readonly records: readonly FeedRecord[];
}

export interface FeedSubscription {
  /** Waits for a batch; `null` once the subscription is closed. Never rejects for trouble on the link. */
  next(): Promise<FeedBatch | null>;
  /**
   * Reads a partition once more: from the offset `from`, or from its beginning where that is absent or nothing can lie
   * there. Resolves with the end offset (exclusive) that the log had when asked; batches delivered by `next` after this
   * resolves start there. Rejects with `log-unavailable`.
   */
  rewind(partition: number, from?: bigint): Promise<bigint>;
  /** True while the last fetch went through; for status pages, not for decisions. */
  readonly connected: boolean;
  close(): Promise<void>;
}

/** How far a record of changes goes, by its own words. */
export interface RecordReach {
  readonly incarnation: Incarnation;
  readonly to: Lsn;
}

/** Which records of a partition its reader would drop whatever they hold, so that they need not come; `null`: none now. */
export type PassedBy = (partition: number) => ((reach: RecordReach) => boolean) | null;

export interface ChangeFeed {
  /** `offsets[partition]` is where to start; 0n is the beginning. The array's length is the partition count. */
  subscribe(origin: RegionId, offsets: readonly bigint[], passedBy?: PassedBy): FeedSubscription;
  /** The peer's progress topic from its end on: only what is published after the subscription stands. */
  subscribeProgress(peer: RegionId): FeedSubscription;
}

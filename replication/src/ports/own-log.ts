/**
 * The region's own log, to read back what was published in its name (P1). Whoever reads it has to find out how far it
 * goes now and where to begin; both are hints as everywhere, and the records tell. Everything here rejects with
 * `log-unavailable` (retriable) where the log does not answer, and never waits for it without end.
 */
import type { FeedSubscription } from './change-feed.ts';

/** Offsets of one partition of changes: where to begin, and the end (exclusive) at the time of asking. */
export interface LogSpan {
  readonly first: bigint;
  readonly end: bigint;
}

export interface OwnLog {
  /**
   * For each partition a place from which everything published since then is read, with the last record at least where
   * there is one; `null` reads all that is held.
   */
  spans(partitionCount: number, sinceMs: number | null): Promise<readonly LogSpan[]>;
  /** Reads the changes from these offsets on. */
  subscribe(offsets: readonly bigint[]): FeedSubscription;
  /** Reads partition 0 alone, from its end on: every beat is published in all partitions. */
  tail(partitionCount: number): FeedSubscription;
  /** Reads the claims of incarnations that are made from now on (P9). */
  claims(): FeedSubscription;
  /** What the region last told about its peers' changes; `null`: nothing is held. */
  newestProgress(): Promise<Uint8Array | null>;
}

/** As it lies there, with whatever anybody has written into it. */
export interface OwnLogSource extends Omit<OwnLog, 'newestProgress'> {
  /** The newest that counts; `null`: none that is held does. */
  newestProgress(counts: (bytes: Uint8Array) => boolean): Promise<Uint8Array | null>;
}

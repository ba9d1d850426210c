/**
 * Transfers that were asked for, run and ended, kept in the region's database: whoever asks any process of the region
 * sees the same, and a process that takes over goes on where the last one stood. Every method rejects as the database
 * does (`errors.ts`).
 */
import type { BeatOf } from './beat-store.ts';
import type { RecordId } from './change.ts';
import type { RegionId } from './identity.ts';
import type { Vector } from './vector.ts';

export type TransferCause =
  /** The origin's log misses an interval. */
  | 'gap'
  /** The origin's log does not begin where it would have to. */
  | 'no-position'
  /** The origin goes on under another incarnation. */
  | 'other-incarnation'
  /** The origin lost its slot: the missing interval was never in its log. */
  | 'slot-lost'
  /** The origin is silent, or this life of it is over, and the donor holds more of it. */
  | 'tail'
  /** We have taken a new incarnation, and the own log does not hold all of our past. */
  | 'own-past'
  /** The database was emptied and is filled anew. */
  | 'refill'
  /** A sweep found live data that differs. */
  | 'sweep'
  /** An operator asked. */
  | 'repair';

export interface TransferWish {
  readonly donor: RegionId;
  /** Whose changes are missing. */
  readonly origin: RegionId;
  readonly cause: TransferCause;
  /** Compares and writes nothing. */
  readonly isDryRun: boolean;
}

export interface TransferCounts {
  readonly examined: number;
  readonly differing: number;
  readonly merged: number;
  readonly refused: number;
  readonly bytes: number;
}

export const nothingCounted: TransferCounts = { examined: 0, differing: 0, merged: 0, refused: 0, bytes: 0 };

/** Where a job stands: everything up to the cursor is as in the vector. */
export interface TransferPlace {
  readonly cursor: RecordId;
  /** Least of all snapshots so far; `null`: none yet. */
  readonly vector: Vector | null;
  /** Of the first of these snapshots. */
  readonly beats: readonly BeatOf[];
  readonly counts: TransferCounts;
}

export type TransferState = 'wanted' | 'running' | 'done' | 'failed';

export interface TransferJob extends TransferWish {
  /** Higher than that of every job that was wanted before. */
  readonly id: number;
  readonly state: TransferState;
  readonly place: TransferPlace;
  /** Database clock, to be shown; which job came first its number says. */
  readonly wantedAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Why it waits or failed; empty: nothing to say. */
  readonly detail: string;
}

export interface TransferJobs {
  /** Joins an open job with the same donor that writes, or does not write, as well; returns its id. */
  want(wish: TransferWish): Promise<number>;
  /** Oldest first. */
  open(): Promise<readonly TransferJob[]>;
  find(id: number): Promise<TransferJob | null>;
  /** Newest first, at most 100. */
  recent(): Promise<readonly TransferJob[]>;
  start(id: number): Promise<void>;
  /** It has come so far; whatever it waited for is over. */
  note(id: number, place: TransferPlace): Promise<void>;
  /** It stays open and is tried again. */
  postpone(id: number, detail: string): Promise<void>;
  end(id: number, outcome: { readonly state: 'done' | 'failed'; readonly detail: string }): Promise<void>;
}

/**
 * Records and positions of one region's database. The store owns the order of every write transaction (P3):
 * placeholders for what is absent, then row locks in one fixed order, then floor and generation in a later statement,
 * then the caller's decision outside SQL, then rows and (for local writes) the emitted changes, then the commit. The
 * caller's `decide` may be called again when the database asks for a retry, so it must have no effects; what was locked
 * stays so until it has decided. The store never merges and never judges; it must never make half of a decision visible.
 */
import type { CountedBeat, Lsn, RecordId } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { SeenCommit } from './session-store.ts';

export interface StoredRecord extends RecordId {
  /** Canonical state of the conflict library; never empty here. */
  readonly state: Uint8Array;
}

export interface LockedRecords {
  /** Aligned with the ids asked for; an empty array where no state is stored. */
  readonly states: readonly Uint8Array[];
  /** Highest own counter that collection has ever dropped (P3). */
  readonly floor: number;
  /** Highest stamp that collection has ever dropped, milliseconds since 1970; 0: none. */
  readonly floorMs: number;
}

export interface LocalWrite {
  /** Index into the ids of the transaction. */
  readonly index: number;
  readonly state: Uint8Array;
  readonly delta: Uint8Array;
}

export interface LocalTransaction {
  /** Distinct, in any order, at most 500. */
  readonly ids: readonly RecordId[];
  /** Where their stored states take more, it rejects with `transaction-too-large` before they are read. */
  readonly maxStateBytes?: number;
  /**
   * Returns what to write, in the order in which the changes are to be emitted; one entry per id at most. A promise where
   * deciding takes so long that others get their turn in between.
   */
  readonly decide: (locked: LockedRecords) => readonly LocalWrite[] | Promise<readonly LocalWrite[]>;
}

export interface DeadLetter extends RecordId {
  /** Newest beat before it that came in the same transaction; `null`: none did. */
  readonly beatBefore?: CountedBeat | null;
  /** One of those whose positions the transaction moves. */
  readonly partition: number;
  readonly lsn: Lsn;
  readonly index: number;
  readonly delta: Uint8Array;
  readonly cause: DeadLetterCause;
  readonly detail: string;
  /** Highest stamp in the delta, where that is the cause: it may be tried again once time has caught up. */
  readonly stampMs: number | null;
}

export type DeadLetterCause = 'malformed' | 'clock-too-far-ahead' | 'too-large' | 'newer-format';

export interface ApplyDecision {
  readonly writes: readonly {
    readonly index: number;
    readonly state: Uint8Array;
  }[];
  readonly deadLetters: readonly DeadLetter[];
  /** Noted with the origin's open incident, where there is one, in the same transaction. */
  readonly conflicts?: readonly RecordConflict[];
}

/** A record with fields that two sides wrote unseen by each other. */
export interface RecordConflict {
  /** Index into the ids of the transaction. */
  readonly index: number;
  readonly fields: number;
}

/** Where a partition stands before and after the transaction. */
export interface PositionMove {
  readonly incarnation: Incarnation;
  readonly partition: number;
  readonly expected: Lsn;
  readonly applied: Lsn;
  /** Newest beat that is covered; `null`: none. */
  readonly beat: CountedBeat | null;
  /** Offset of the log record after the last one applied. */
  readonly nextOffset: bigint;
}

export interface ApplyTransaction {
  readonly origin: RegionId;
  /**
   * One for each partition that brings something, at least one. Nothing is written where any of them does not stand
   * at `expected` (compare-and-set, P4).
   */
  readonly positions: readonly PositionMove[];
  readonly ids: readonly RecordId[];
  /** Where their stored states take more, it rejects with `transaction-too-large` before they are read. */
  readonly maxStateBytes?: number;
  readonly decide: (states: readonly Uint8Array[]) => ApplyDecision;
}

/** `fenced`: a position was not at its `expected`. `full`: the origin's dead letters have no room for those that it brings. */
export type ApplyOutcome = 'applied' | 'fenced' | 'full';

export interface PositionRow {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  readonly partition: number;
  readonly applied: Lsn;
  /** `applied`, but stopping before the oldest open dead letter. */
  readonly settled: Lsn;
  /** Newest settled beat of the partition; `null`: none yet. */
  readonly beat: CountedBeat | null;
  /** Where to go on reading; a hint, never the truth. */
  readonly nextOffset: bigint;
}

export interface ListQuery {
  readonly collection: string;
  readonly prefix: string;
  /** Exclusive; `null` for the first page. Order is that of the keys' UTF-8 bytes. */
  readonly after: string | null;
  readonly limit: number;
}

/** A page of the records that may be in conflict, as `ListQuery` says. */
export type ConflictingQuery = Pick<ListQuery, 'collection' | 'after' | 'limit'>;

/** Bytes of states after which a page of a list takes no further record. */
export const listPageBytes = 1024 * 1024;

/** Whether nothing comes after a page that was asked for with this limit. */
export function isLastPage(page: readonly StoredRecord[], limit: number): boolean {
  const bytes = page.reduce((sum, { state }) => sum + state.length, 0);
  return page.length < limit && bytes < listPageBytes;
}

export interface RecordStore {
  /** The stored state, or `null` where nothing is stored. */
  read(id: RecordId): Promise<Uint8Array | null>;
  /**
   * Stored records in order of key, dead ones among them: up to `limit`, and none after those that take `listPageBytes`,
   * so a page holds at most these and one record more. `isLastPage` tells whether more may follow.
   */
  list(query: ListQuery): Promise<readonly StoredRecord[]>;
  /**
   * As `list`, but of those records alone that may have a register with several values. None that has one is left out;
   * one that has none may be there, where it was not looked at yet or where its siblings are not live.
   */
  listConflicting(query: ConflictingQuery): Promise<readonly StoredRecord[]>;
  /**
   * Looks at some of the stored records that nobody has looked at yet, so that they leave that list where they have no
   * siblings. It waits for no lock and changes no state. Returns after which record to go on; `null`: at the end.
   */
  examine(after: RecordId): Promise<RecordId | null>;
  /** Every stored record of a collection from one snapshot, in chunks bounded in bytes. */
  scan(collection: string): AsyncIterable<readonly StoredRecord[]>;
  /**
   * One local transaction, durable on return; `null` if nothing was written. Rejects with `database-unavailable` where
   * nothing happened and with `outcome-unknown` where the commit was sent and no answer came; what `decide` throws rolls
   * back and is thrown on unchanged.
   */
  commitLocal(transaction: LocalTransaction): Promise<SeenCommit | null>;
  /** Where it is not `applied`, nothing was written. */
  applyRemote(transaction: ApplyTransaction): Promise<ApplyOutcome>;
  positions(origin: RegionId): Promise<readonly PositionRow[]>;
  /** Creates the position of a partition where it is absent; never changes one that exists. */
  createPosition(row: PositionRow): Promise<void>;
  /**
   * The same where the log of another region shows the start of a life, and in one durable transaction with what this
   * means. Unless the life is the first, something of the ones before it may be in no log: until what the region holds of
   * those was given (`TransferStore.raise`), by itself as that life or as a later one, or by who had been given it, no
   * progress, session, figure or offer may count what is held as that life (P9). Where the life, or a later one of its
   * region, counts here already, a transfer has given that, and nothing is awaited.
   */
  openLife(row: PositionRow): Promise<void>;
  /** Open dead letters for each origin and cause. */
  countDeadLetters(): Promise<readonly DeadLetterCount[]>;
}

export interface DeadLetterCount {
  readonly origin: RegionId;
  readonly cause: DeadLetterCause;
  readonly count: number;
  /** Of their deltas and names. */
  readonly bytes: number;
}

/**
 * What the collection of tombstones keeps and changes in a region's database (P8). A generation is closed by a commit;
 * what runs at that moment may still write under the closed one, so a mark read afterwards tells when all of that has
 * ended. A barrier completes in one commit together with the horizon that it gives, and only rows of generations that
 * two barriers have passed are dropped, each in one transaction with the floors above it. The store never judges a
 * state; `decide` is synchronous, may be called again and has no effects.
 */
import type { Lsn, RecordId } from './change.ts';
import type { StoredRecord } from './record-store.ts';
import type { Vector } from './vector.ts';

export interface BarrierRow {
  /** Number of the newest barrier that is complete; 0: none yet. */
  readonly completed: number;
  /** A barrier with this number is open; `null`: none is. */
  readonly open: number | null;
  /** Database clock, as everywhere here; `null`: none is open. */
  readonly openedAtMs: number | null;
  readonly completedAtMs: number | null;
  readonly readAtMs: number;
}

export interface CollectTransaction {
  /** Distinct, at most 500; what is no longer there or was written since is left out. */
  readonly ids: readonly RecordId[];
  /** Rows of later generations are left out. */
  readonly through: number;
  /** Says of each row what becomes of it. */
  readonly decide: (rows: readonly StoredRecord[]) => readonly Verdict[];
}

export type Verdict =
  /** Dropped, and the floors rise to its highest own counter and its highest stamp. */
  | { readonly kind: 'drop'; readonly ownCounter: number; readonly stampMs: number }
  /** It exists: collection looks at it no more until it is written again. */
  | { readonly kind: 'lives' }
  | { readonly kind: 'stays' };

export interface TombstoneStore {
  barrier(): Promise<BarrierRow>;
  /**
   * Closes the generation of this number and opens its barrier; where that has happened already it changes nothing.
   * Returns a mark for `hasEnded`, read after the close is committed.
   */
  close(number: number): Promise<bigint>;
  /** Whether every transaction that ran when the mark was read has ended. */
  hasEnded(mark: bigint): Promise<boolean>;
  /** A number that no earlier call returned, to tell the answers to one asking from those to another. */
  beginRound(): Promise<number>;
  /**
   * Completes the barrier and raises the horizon to the greatest of itself and the vector, durably. False where it is
   * complete already, or another round has begun since.
   */
  complete(barrier: {
    readonly number: number;
    readonly round: number;
    readonly vector: Vector;
  }): Promise<boolean>;
  /**
   * Another region is about to be told that the own changes went up to here, and may collect on that word: durable on
   * return, so that a new incarnation of this database never says that it surely holds less (P9).
   */
  noteAnswered(position: Lsn): Promise<void>;
  /** Whether there is any record that may be dead. */
  hasDead(): Promise<boolean>;
  /** At most a million are counted. */
  countDead(): Promise<number>;
  /** Records after `after` that may be dead and were last written in generation `through` or before, in order. */
  dead(query: {
    readonly after: RecordId;
    readonly through: number;
    readonly limit: number;
  }): Promise<readonly StoredRecord[]>;
  /** Returns how many rows were dropped. */
  collect(transaction: CollectTransaction): Promise<number>;
}

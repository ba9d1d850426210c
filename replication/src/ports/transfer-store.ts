/**
 * What a transfer reads and writes in a region's database (P6). The donor reads one snapshot; the receiver merges
 * what differs in transactions of its own and raises its positions once at the end. Nothing written here is ever
 * emitted to the log. The store never merges and never judges; `decide` is synchronous, may be called again and has no
 * effects.
 */
import type { BeatOf } from './beat-store.ts';
import type { CountedBeat, Lsn, RecordId } from './change.ts';
import type { Life, RegionId } from './identity.ts';
import type { RecordReader } from './record-reader.ts';
import type { DeadLetterCause } from './record-store.ts';
import type { SlotLife } from './slot-keeper.ts';
import type { Vector, WholePast } from './vector.ts';

export interface OldBeat {
  readonly lsn: Lsn;
  readonly atMs: number;
}

/** What the own log holds in all partitions. */
export interface Published {
  /** Everything that committed up to there. */
  readonly through: Lsn;
  /**
   * The newest beat that ended up to the position that was asked for; `null`: there is none. Where a lost slot had not
   * read it, its end is not known: then it is that position, and the count is unknown.
   */
  readonly passed: CountedBeat | null;
}

/** How far a region reaches, read in one snapshot. */
/**
 * Whether what the database shows stays there: `securing`: an operator wants it filled anew, and it may be emptied;
 * `emptied`: it is going to be, or was and is not filled yet, so it does not show what its region had.
 */
export type RefillStanding = 'none' | 'securing' | 'emptied';

export interface Standing {
  /** Others' changes that are all merged. */
  readonly settled: Vector;
  /** Others' changes that may be merged as far as the log brought them. */
  readonly applied: Vector;
  /** What transfers that are not covered yet may have brought beyond that. */
  readonly ahead: Vector;
  /** Pasts that are whole here, without those of which a change lies aside. */
  readonly whole: readonly WholePast[];
  /** What tombstone collection here has made final (P8). */
  readonly horizon: Vector;
  /** Highest stamp that collection here has dropped, milliseconds since 1970; 0: none. */
  readonly floorMs: number;
  /** Own insert position: beyond every own commit that the snapshot shows. */
  readonly insertLsn: Lsn;
  /** Newest own beat older than every transaction that the snapshot does not show; `null`: there is none. */
  readonly beat: OldBeat | null;
  /** Of others, the newest beat settled in all partitions of each life; none where the past is awaited (`RecordStore.openLife`). */
  readonly beats: readonly BeatOf[];
  /** Where the relay's slot begins; `null`: not known. */
  readonly slot: SlotLife | null;
  readonly isEmpty: boolean;
  readonly refill: RefillStanding;
  /** Database clock. */
  readonly readAtMs: number;
}

export interface TransferSnapshot extends RecordReader {
  readonly standing: Standing;
  /** Idempotent; a database that is away by then is none of its matters. */
  close(): Promise<void>;
}

export interface RefusedState extends RecordId {
  readonly state: Uint8Array;
  readonly cause: DeadLetterCause;
  readonly detail: string;
  /** The stamp that lies too far ahead, where that is the cause. */
  readonly stampMs: number | null;
}

export interface MergeDecision {
  readonly writes: readonly { readonly index: number; readonly state: Uint8Array }[];
  readonly refused: readonly RefusedState[];
}

export interface MergeTransaction {
  /** Of the job that it belongs to; refused states are kept with it until it ends. */
  readonly job: number;
  /** Distinct, at most 500. */
  readonly ids: readonly RecordId[];
  /**
   * `horizon` is read after the records are locked, because barriers go on meanwhile; `null` leaves everything as it
   * was.
   */
  readonly decide: (locked: {
    readonly states: readonly Uint8Array[];
    readonly horizon: Vector;
  }) => MergeDecision | null;
}

/** An open dead letter that the donor's vector has passed. */
export interface PassedLetter extends RecordId {
  readonly delta: Uint8Array;
  /** What is stored under its name now; empty where nothing is. */
  readonly state: Uint8Array;
  /** An operator waits for nothing but the transfer. */
  readonly isGivenUp: boolean;
  /** What the donor holds of the record was refused as well. */
  readonly isRefused: boolean;
}

export interface RaiseTransaction {
  /** The own one, whose earlier lives end where they are learnt again. */
  readonly region: RegionId;
  readonly job: number;
  readonly vector: Vector;
  /** Lives whose past came with it, at most one of a region: whatever they held of the lives before. */
  readonly given: readonly Life[];
  /** Pasts that were whole at the donor before its first record was read. */
  readonly whole: readonly WholePast[];
  /** What raised positions have passed of these shows in the lag at once (P7). */
  readonly beats: readonly BeatOf[];
  /** The donor's: what it has dropped, others may still hold, and nothing written here may be stamped before it (P8). */
  readonly floorMs: number;
  /** Chooses the partition of a state that was refused. */
  readonly partitionOf: (id: RecordId) => number;
  /**
   * `letters`: the oldest ones, as many as have with their records no more than `maxStateBytes`; the others stay open.
   * `null`: nothing is raised. Else which of the letters are to be closed.
   */
  readonly decide: (locked: {
    readonly letters: readonly PassedLetter[];
    readonly horizon: Vector;
  }) => readonly boolean[] | null;
}

export interface TransferStore extends RecordReader {
  /** Rejects with `overloaded` while too many are open. */
  openSnapshot(): Promise<TransferSnapshot>;
  standing(): Promise<Standing>;
  /** `null`: nothing is known to be in the own log. */
  published(upTo: Lsn): Promise<Published | null>;
  /** Before the first record of a snapshot is merged: sessions must know what may come (P5). */
  expect(ahead: Vector): Promise<void>;
  /**
   * Drops what the settled positions have come to cover, and all of these regions: retired ones of which everything that
   * is kept has settled here, so that nothing will ever cover the rest. True while something is left that may be covered:
   * what it names of pasts that are whole here stays, because others may not have them yet.
   */
  forgetCovered(retired: readonly RegionId[]): Promise<boolean>;
  /**
   * Before the records of a pass are compared from the beginning: what the job refused in one before is no word of what
   * the donor holds now.
   */
  beginPass(job: number): Promise<void>;
  /** False where `decide` said so. */
  merge(transaction: MergeTransaction): Promise<boolean>;
  /**
   * Raises `applied` to the greater of itself and the vector, opening rows that are absent; opens a dead letter for
   * each state that the job had refused, in every partition that is raised and may miss it; closes those that are
   * covered; moves `settled` as far as open letters allow, and with it the settled beat where a newer one is given, or
   * was held back by a letter that is closed now; raises the floor of stamps. A past that came is awaited no more, as far
   * as the life that it is given for, and one that was whole at the donor is whole, unless a state was refused. That of a
   * life that is opened and not given, or not without a state that was refused, is awaited from then on, unless this life
   * or a later one of its region counts here already. Of other regions in the vector, the
   * logs of lives end where they stand after which a later one has a position: their records are ignored by now (F of P9).
   * False where `decide` said so.
   */
  raise(transaction: RaiseTransaction): Promise<boolean>;
}

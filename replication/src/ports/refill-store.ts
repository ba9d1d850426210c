/**
 * An operator's wish that the region is emptied and filled again from a peer, kept in its database until it is over; each
 * process goes on with it after any end of another. One at a time; a newer wish replaces one that is over. Every method
 * rejects as the database does (`errors.ts`), also where the region writes no more: none asks whether the server
 * continues its past.
 */
import type { Actor, RegionId } from './identity.ts';

export type RefillState =
  /** Local writes have ended; what the region has must be found at a peer, or its loss be accepted. */
  | 'securing'
  /** A new incarnation is being taken. Nothing has been dropped yet. */
  | 'renewing'
  /** The database is empty and is filled from the donor. */
  | 'filling'
  /** The past is learnt again, as by every new incarnation (P9). */
  | 'learning'
  | 'done'
  /** It would have lost writes; nothing was dropped. */
  | 'refused';

export interface RefillWish {
  readonly donor: RegionId;
  /** Lives whose changes may be lost. */
  readonly accepted: readonly Actor[];
}

export interface Refill extends RefillWish {
  readonly state: RefillState;
  /** What it waits for, or why it was refused; empty: nothing to say. */
  readonly detail: string;
  /** Database clock. */
  readonly wantedAtMs: number;
  readonly endedAtMs: number | null;
  /** Local writes had been taken away before it was wanted, or before the one that it replaced while that secured. */
  readonly wasDrained: boolean;
}

export interface RefillStore {
  /** The newest; `null`: none was ever wanted. */
  find(): Promise<Refill | null>;
  /** False where another one has begun to take an incarnation and is not over. */
  want(wish: RefillWish): Promise<boolean>;
  /**
   * Local writes are taken away for one that secures, as `DrainStore.begin` does. False where it does not secure any more:
   * then nothing is taken away, because whoever refused it has given them back already.
   */
  drain(): Promise<boolean>;
  /** Of one that secures. */
  note(detail: string): Promise<void>;
  /** What it had is safe: a new incarnation is taken. False where it does not secure any more. */
  secured(): Promise<boolean>;
  /**
   * Only one that secures can be refused, and false says that it does not any more. With it local writes are taken again,
   * where they were before it.
   */
  refuse(detail: string): Promise<boolean>;
  /**
   * What was safe is not any more: nothing is dropped by the incarnation that is being taken. False where it takes none, and
   * where the database was emptied for an earlier wish. With it local writes are taken again, as where it is refused.
   */
  withdraw(detail: string): Promise<boolean>;
  /** Stored records, counted up to a bound. */
  countRecords(limit: number): Promise<number>;
}

/**
 * Changes that were put aside, to be looked at and tried again (P4). A retry is one transaction for any number of letters
 * of one partition: it locks the partition's position first, then the letters, then their records, and closes the letters
 * together with what it wrote; `settled` then moves as far as the remaining ones allow. Trying again is safe at any time
 * and in any order, because deltas commute; nothing that a retry merges is ever published.
 * One that can never be applied is given up by an operator alone: it goes on holding `settled` until a transfer has
 * brought what its record came to elsewhere, unless the operator takes the loss.
 * Open ones are kept whatever happens. A closed one keeps its place, its name and what became of it, and its bytes only
 * where the operator took the loss, and is dropped after `keptClosedMs`, or once `keptClosedCount` newer ones are closed.
 */
import type { Lsn, RecordId } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { DeadLetterCause } from './record-store.ts';

/** Where its change lies in its origin's log. */
export interface DeadLetterPlace {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  readonly partition: number;
  readonly lsn: Lsn;
  readonly index: number;
}

export interface OpenDeadLetter extends DeadLetterPlace, RecordId {
  readonly cause: DeadLetterCause;
  readonly detail: string;
  readonly byteCount: number;
  /** Own clock. */
  readonly openedAtMs: number;
  readonly stampMs: number | null;
  /** `null`: nobody has given it up. */
  readonly givenUp: GivenUp | null;
}

/** One that may be tried again. */
export interface DueDeadLetter extends DeadLetterPlace {
  /** Of its delta. */
  readonly byteCount: number;
}

export interface GivenUp {
  /** Own clock. */
  readonly sinceMs: number;
  readonly reason: string;
}

export interface GivingUp {
  readonly reason: string;
  /** It is closed at once, and what it carried may be missing here. */
  readonly isLossAccepted: boolean;
}

/** What becomes of one that was given up: a transfer has to come or has come, or an operator took the loss. */
export type Fate = 'waiting' | 'repaired' | 'lost';

export interface FateCount {
  readonly origin: RegionId;
  readonly fate: Fate;
  readonly count: number;
}

export type RetryDecision =
  | { readonly kind: 'apply'; readonly state: Uint8Array; readonly conflicts: number }
  /** It cannot be applied yet, or ever, for this reason. */
  | {
      readonly kind: 'keep';
      readonly cause: DeadLetterCause;
      readonly detail: string;
      readonly stampMs: number | null;
    }
  /** Nothing is changed. */
  | { readonly kind: 'leave' };

export type DecideRetry = (state: Uint8Array, delta: Uint8Array) => RetryDecision;

export type RetryOutcome = 'applied' | 'kept' | 'left' | 'gone' | 'unnameable';

export interface DeadLetterStore {
  /** Open ones in order of place, after `after`. */
  list(query: {
    readonly after: DeadLetterPlace | null;
    readonly limit: number;
  }): Promise<readonly OpenDeadLetter[]>;
  /** Open ones whose stamp is not beyond `stampMs`, lowest first. */
  due(stampMs: number, limit: number): Promise<readonly DueDeadLetter[]>;
  /**
   * Tries letters of one partition in the given order, all in one transaction; an outcome for each. `decide` gets the
   * stored state (empty where there is none), with what those before it have brought, and the delta; it is synchronous
   * and may run again, and what it throws leaves all of them as they are. Rejects with `transaction-too-large` where the
   * states of several records take more than `maxStateBytes`. `gone`: there is no such open letter.
   * `unnameable`: its name is longer than names may be, so it stays.
   */
  retry(places: readonly DeadLetterPlace[], decide: DecideRetry): Promise<readonly RetryOutcome[]>;
  /** What was said first of one that waits stays, but the loss may be taken later. `gone`: there is no such open letter. */
  giveUp(place: DeadLetterPlace, how: GivingUp): Promise<'waiting' | 'lost' | 'gone'>;
  /** Of all given up that are still kept, except those that could be applied after all. */
  fates(): Promise<readonly FateCount[]>;
  /** Closed ones that are still kept. */
  countClosed(): Promise<number>;
  /** Drops some closed ones whose time is over, the oldest first; how many, at most `droppedAtOnce`. */
  prune(): Promise<number>;
}

/**
 * The lives of the relay's replication slot. A slot that was lost took with it the changes that nobody had read, so a
 * new one begins a new life at a later place, and what lies between is in no log: readers see that as a gap and fetch
 * it from the records (P6). Lives are kept for ever; the first is the one that the incarnation began with.
 */
import type { Lsn } from './change.ts';

export interface SlotLife {
  /** From 1. */
  readonly number: number;
  /** The log holds everything of this life after this position. */
  readonly from: Lsn;
}

export interface SlotKeeper {
  /**
   * Asked whenever the slot is taken up and before anything is confirmed, because a life that was announced by a process
   * which has ended is completed then. `null`: the database was made by a version that did not note it.
   */
  life(): Promise<SlotLife | null>;
  /**
   * Makes the slot anew after `slot-lost`. Rejects with `slot-held` where another relay has it meanwhile. It may wait for
   * minutes while long transactions write in the cluster; the signal ends that.
   */
  renew(reason: string, signal?: AbortSignal): Promise<SlotLife>;
}

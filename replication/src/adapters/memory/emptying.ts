/**
 * Empties a database in memory that is to be filled anew (P6), inside the transaction that makes it another incarnation.
 * What is known of other regions' ends, retirements, incidents and the own generation stays, as in Postgres.
 */
import type { MemoryJoiningStore } from './joining-store.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryRefillStore } from './refill-store.ts';
import type { MemoryTransferJobs } from './transfer-jobs.ts';
import type { MemoryTransferStore } from './transfer-store.ts';
import type { MemoryVerifications } from './verifications.ts';

export interface MemoryEmptyingGround {
  readonly records: Pick<MemoryRecordStore, 'empty'>;
  readonly transfers: Pick<MemoryTransferStore, 'empty'>;
  readonly verifications: Pick<MemoryVerifications, 'empty'>;
  readonly jobs: Pick<MemoryTransferJobs, 'failAll'>;
  readonly joining: Pick<MemoryJoiningStore, 'join'>;
  readonly refills: Pick<MemoryRefillStore, 'isEmptying' | 'emptied'>;
}

export class MemoryEmptying {
  readonly #ground: MemoryEmptyingGround;

  constructor(ground: MemoryEmptyingGround) {
    this.#ground = ground;
  }

  /** In a transaction. True where it was wanted. */
  emptyIfWanted(): boolean {
    const { records, transfers, verifications, jobs, joining, refills } = this.#ground;
    if (!refills.isEmptying) return false;
    for (const part of [records, transfers, verifications]) part.empty();
    jobs.failAll('the region is filled anew');
    joining.join();
    refills.emptied();
    return true;
  }
}

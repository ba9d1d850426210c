/**
 * The transfer parts of a region to which no donor answers: this world has no faults that need one yet, and says so in
 * `capabilities.ts`. Wishes are noted and wait, so that nothing is repaired behind the log's back.
 */
import type { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import type { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import type { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferStore } from '@isthmus/replication/adapters/memory/transfer-store';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';
import { ReplicationError } from '@isthmus/replication/errors';
import type { TransferParts } from '@isthmus/replication/replicator';

export function loneTransfers(of: {
  readonly database: MemoryDatabase;
  readonly records: MemoryRecordStore;
  readonly beats: MemoryBeatStore;
}): TransferParts {
  const { database, records, beats } = of;
  const kept = new MemorySlotKeeper(database);
  const refusal = new ReplicationError('peer-unavailable', 'no donor answers here', { retriable: true });
  return {
    store: new MemoryTransferStore({ database, records, beats, slots: kept }),
    jobs: new MemoryTransferJobs(database),
    verifications: new MemoryVerifications(database),
    peer: { ask: () => Promise.reject(refusal) },
    slots: { life: () => kept.life(), renew: () => Promise.reject(refusal) },
  };
}

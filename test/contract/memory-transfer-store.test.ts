/** The contract of `TransferStore` on a database in memory. */
import { performance } from 'node:perf_hooks';
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferStore } from '@isthmus/replication/adapters/memory/transfer-store';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';
import { transferJobsContract } from './transfer-jobs.contract.ts';
import { transferRaisingContract } from './transfer-raising.contract.ts';
import { transferStoreContract } from './transfer-store.contract.ts';
import { verificationStoreContract } from './verification-store.contract.ts';

function open() {
  const database = new MemoryDatabase({ nowMs: () => performance.timeOrigin + performance.now() });
  const records = new MemoryRecordStore(database);
  const beats = new MemoryBeatStore(database, records, []);
  const slots = new MemorySlotKeeper(database);
  const jobs = new MemoryTransferJobs(database);
  return {
    database,
    records,
    deadLetters: records.deadLetters,
    beats,
    slots,
    transfers: new MemoryTransferStore({ database, records, beats, slots, jobs }),
    jobs,
    verifications: new MemoryVerifications(database),
    close: () => Promise.resolve(),
  };
}

const contracts = [
  transferStoreContract,
  transferRaisingContract,
  transferJobsContract,
  verificationStoreContract,
];
for (const contract of contracts) contract('memory', () => Promise.resolve(open()));

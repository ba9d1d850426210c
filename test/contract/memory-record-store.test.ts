/** The contract of `RecordStore` on the one in memory. */
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { recordPositionsContract } from './record-positions.contract.ts';
import { recordStoreContract } from './record-store.contract.ts';

for (const contract of [recordStoreContract, recordPositionsContract])
  contract('memory', async () => ({ store: new MemoryRecordStore(), close: async () => undefined }));

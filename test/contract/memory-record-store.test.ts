/** The contract of `RecordStore` on the one in memory. */
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { recordStoreContract } from './record-store.contract.ts';

recordStoreContract('memory', () =>
  Promise.resolve({ store: new MemoryRecordStore(), close: () => Promise.resolve() }),
);

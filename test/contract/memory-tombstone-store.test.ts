/** The contract of `TombstoneStore` on a database in memory. */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryRegion } from '../integration/memory-region.ts';
import { tombstoneStoreContract } from './tombstone-store.contract.ts';

tombstoneStoreContract('memory', () => {
  const { tombstones, records, transfers } = new MemoryRegion('eu', new ManualTimer());
  return Promise.resolve({ tombstones, records, transfers, close: () => Promise.resolve() });
});

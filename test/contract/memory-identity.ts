/** All that the identity of a database in memory stands on, fresh, and as many processes that open it as are asked for. */
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryIdentityRow } from '@isthmus/replication/adapters/memory/identity-row';
import { MemoryIdentityStore } from '@isthmus/replication/adapters/memory/identity-store';
import { MemoryIncarnationStore } from '@isthmus/replication/adapters/memory/incarnation-store';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTombstoneStore } from '@isthmus/replication/adapters/memory/tombstone-store';

export function freshMemoryIdentity() {
  const database = new MemoryDatabase({ nowMs: () => 1000 });
  const records = new MemoryRecordStore(database);
  const ground = {
    database,
    identity: new MemoryIdentityRow(database, { counter: 1, nonce: 7 }),
    records,
    tombstones: new MemoryTombstoneStore({ database, records, horizon: database.table('horizon') }),
    beats: new MemoryBeatStore(database, []),
    slots: new MemorySlotKeeper(database),
    incarnations: new MemoryIncarnationStore(database),
  };
  return { ...ground, open: () => new MemoryIdentityStore(ground) };
}

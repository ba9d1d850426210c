/** All that the identity of a database in memory stands on, fresh, and as many processes that open it as are asked for. */
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryDrainStore } from '@isthmus/replication/adapters/memory/drain-store';
import { MemoryEmptying } from '@isthmus/replication/adapters/memory/emptying';
import { MemoryIdentityRow } from '@isthmus/replication/adapters/memory/identity-row';
import { MemoryIdentityStore } from '@isthmus/replication/adapters/memory/identity-store';
import { MemoryIncarnationStore } from '@isthmus/replication/adapters/memory/incarnation-store';
import { MemoryJoiningStore } from '@isthmus/replication/adapters/memory/joining-store';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemoryRefillStore } from '@isthmus/replication/adapters/memory/refill-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTombstoneStore } from '@isthmus/replication/adapters/memory/tombstone-store';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferStore } from '@isthmus/replication/adapters/memory/transfer-store';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';

export function freshMemoryIdentity() {
  const clock = { aheadMs: 0 };
  const database = new MemoryDatabase({ nowMs: () => 1000 + clock.aheadMs });
  const records = new MemoryRecordStore(database);
  const beats = new MemoryBeatStore(database, records, []);
  const slots = new MemorySlotKeeper(database);
  const jobs = new MemoryTransferJobs(database);
  const transfers = new MemoryTransferStore({
    database,
    records,
    beats,
    slots,
    jobs,
    refill: () => refills.standing,
  });
  const identity = new MemoryIdentityRow(database, { counter: 1, nonce: 7 });
  const refills = new MemoryRefillStore({ database, identity, records });
  const verifications = new MemoryVerifications(database);
  const joining = new MemoryJoiningStore(database);
  const ground = {
    clock,
    database,
    identity,
    records,
    tombstones: new MemoryTombstoneStore({ database, records, horizon: transfers.horizon }),
    beats,
    slots,
    jobs,
    transfers,
    verifications,
    refills,
    drains: new MemoryDrainStore({ database, identity, beats, refills }),
    incarnations: new MemoryIncarnationStore(database, records, refills),
    emptying: new MemoryEmptying({ records, transfers, verifications, jobs, joining, refills }),
  };
  return { ...ground, open: () => new MemoryIdentityStore(ground) };
}

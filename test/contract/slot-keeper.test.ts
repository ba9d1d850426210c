/** The contract of `SlotKeeper` in memory and on a real Postgres. */
import { MemoryChangeSource } from '@isthmus/replication/adapters/memory/change-source';
import { PostgresChangeSource } from '@isthmus/replication/adapters/postgres/change-source';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import { afterAll, beforeAll, expect } from 'vitest';
import { until } from '../until.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { PostgresRegion } from './postgres-region.ts';
import { append, record } from './record-store.contract.ts';
import { slotKeeperContract } from './slot-keeper.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(() => postgres.stop());

async function write(records: RecordStore, key: string): Promise<bigint> {
  const committed = await records.commitLocal(append([record(key)], 'x'));
  return committed?.end ?? expect.fail('it was written');
}

async function adopt(past: IdentityStore): Promise<void> {
  const claim = await past.noteClaim({ counter: 2, nonce: 9 });
  await past.adopt({ claim, promised: null });
}

slotKeeperContract('memory', async () => {
  const { database, records, slots, open } = freshMemoryIdentity();
  return {
    one: slots,
    two: slots,
    source: new MemoryChangeSource(database),
    write: (key) => write(records, key),
    loseSlot: async () => database.wal.dropSlot(),
    renew: async () => {
      await adopt(open());
      return slots;
    },
    close: async () => undefined,
  };
});

slotKeeperContract('postgres', async () => {
  const region = await PostgresRegion.begin(postgres);
  const [one, two] = [await region.open(), await region.open()];
  const { url: connectionString, slotName: slot } = region.fresh;
  return {
    one: one.slots,
    two: two.slots,
    source: new PostgresChangeSource({ connectionString, slot }),
    write: (key) => write(one.records, key),
    loseSlot: () =>
      until('the slot has no reader', 10_000, async () => {
        await region.fresh.sql('SELECT pg_drop_replication_slot($1)', [slot]);
        return true;
      }).then(() => undefined),
    renew: async () => {
      await adopt(one.past);
      return (await region.open()).slots;
    },
    close: () => region.close(),
  };
});

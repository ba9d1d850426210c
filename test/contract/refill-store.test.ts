/** The contract of `RefillStore` on a real Postgres and in memory. */
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { afterAll, beforeAll, expect } from 'vitest';
import { freshDatabase } from './fresh-database.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { append, record, region } from './record-store.contract.ts';
import { refillStoreContract } from './refill-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

refillStoreContract('postgres', async () => {
  const fresh = await freshDatabase(postgres);
  const { url: connectionString, slotName } = fresh;
  let opened: Database | null = null;
  return {
    open: async () => {
      const at = { connectionString, region: region('eu'), peers: [], slotName, trustsRestarts: true };
      const database = await openDatabase(at);
      opened = database;
      const write = async (key: string): Promise<void> =>
        void (await database.records.commitLocal(append([record(key)], 'x')));
      const bring = async (key: string): Promise<void> =>
        void (await fresh.sql(
          `INSERT INTO isthmus.record (collection, key, state, gen) VALUES ('products', '${key}', '\\x00', 1)`,
        ));
      return { ...database, write, bring };
    },
    closeOne: async () => {
      await (opened ?? expect.fail('one is open')).close();
    },
    close: () => fresh.drop(),
  };
});

refillStoreContract('memory', async () => {
  const ground = freshMemoryIdentity();
  const bring = async (key: string): Promise<void> =>
    void (await ground.records.commitLocal(append([record(key)], 'x')));
  return {
    open: async () => {
      const past = ground.open();
      const write = async (key: string): Promise<void> => {
        past.requireLearnt();
        await bring(key);
      };
      return { ...ground, past, write, bring };
    },
    closeOne: async () => undefined,
    close: async () => undefined,
  };
});

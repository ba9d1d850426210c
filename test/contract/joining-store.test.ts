/** The contract of `JoiningStore` in memory and on a real Postgres. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryJoiningStore } from '@isthmus/replication/adapters/memory/joining-store';
import { afterAll, beforeAll } from 'vitest';
import { joiningStoreContract } from './joining-store.contract.ts';
import { StruckRegion } from './postgres-region.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

joiningStoreContract('memory', async () => {
  const database = new MemoryDatabase({ nowMs: () => 1000 });
  const store = new MemoryJoiningStore(database);
  return { open: async () => store, restart: async () => database.crash(), close: async () => undefined };
});

joiningStoreContract('postgres', async () => {
  const region = await StruckRegion.on(postgres);
  return {
    open: async () => (await region.open()).joining,
    restart: () => region.restart(),
    close: () => region.close(),
  };
});

/** The contract of `SessionStore` on a real Postgres and in memory. */
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { MemorySessionStore } from '@isthmus/replication/adapters/memory/session-store';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { afterAll, beforeAll } from 'vitest';
import { freshDatabase } from './fresh-database.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { region } from './record-store.contract.ts';
import { sessionStoreContract } from './session-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

sessionStoreContract('postgres', async () => {
  const fresh = await freshDatabase(postgres);
  const { url: connectionString, slotName } = fresh;
  const database = await openDatabase({ connectionString, region: region('eu'), peers: [], slotName });
  const close = async (): Promise<void> => {
    await database.close();
    await fresh.drop();
  };
  const startAnew = async (): Promise<void> => {
    await fresh.sql(
      "UPDATE isthmus.identity SET postmaster_started_at = postmaster_started_at - interval '1 s'",
    );
  };
  return { ...database, startAnew, close };
});

sessionStoreContract('memory', async () => {
  const ground = freshMemoryIdentity();
  const retirements = new MemoryRetirementStore(ground.database, ground.records);
  const sessions = new MemorySessionStore({ ...ground, retirements });
  const startAnew = async (): Promise<void> => ground.database.crash();
  return { ...ground, past: ground.open(), retirements, sessions, startAnew, close: async () => undefined };
});

/** Whom a region's database serves: a real Postgres, and the simulator's. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { PostgresChangeSource } from '@isthmus/replication/adapters/postgres/change-source';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { afterAll, beforeAll } from 'vitest';
import { admissionContract } from './admission.contract.ts';
import { freshDatabase } from './fresh-database.ts';
import { region } from './record-store.contract.ts';
import { SimulatedRegion } from './simulated-region.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

admissionContract('postgres', async () => {
  const fresh = await freshDatabase(postgres);
  const { url: connectionString, slotName: slot } = fresh;
  const at = { connectionString, region: region('eu'), peers: [], slotName: slot };
  const ends: (() => Promise<void>)[] = [];
  const open = async () => {
    const database = await openDatabase(at);
    ends.push(() => database.close());
    return { ...database, source: new PostgresChangeSource({ connectionString, slot }) };
  };
  return {
    open,
    restart: async () => {
      await postgres.kill('SIGKILL');
      await postgres.restart();
    },
    close: async () => {
      await Promise.all(ends.map((end) => end()));
      await fresh.drop();
    },
  };
});

admissionContract('the simulator', async () => {
  const simulated = new SimulatedRegion();
  return {
    open: async () => simulated.open(),
    restart: async () => {
      simulated.goDown();
      simulated.comeUp();
    },
    close: () => simulated.close(),
  };
});

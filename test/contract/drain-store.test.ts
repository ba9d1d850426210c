/** The contract of `DrainStore` in memory and on a real Postgres. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { afterAll, beforeAll } from 'vitest';
import { drainStoreContract } from './drain-store.contract.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { StruckRegion } from './postgres-region.ts';
import { append, record } from './record-store.contract.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

drainStoreContract('postgres', async () => {
  const region = await StruckRegion.on(postgres);
  return {
    open: async () => {
      const database = await region.open();
      const write = async (key: string): Promise<void> =>
        void (await database.records.commitLocal(append([record(key)], 'x')));
      return { ...database, write };
    },
    dateBack: async (byMs) => {
      await region.fresh.sql(
        `UPDATE isthmus.identity SET drained_since = drained_since - interval '${byMs} milliseconds'`,
      );
    },
    restart: () => region.restart(),
    close: () => region.close(),
  };
});

drainStoreContract('memory', async () => {
  const ground = freshMemoryIdentity();
  const { database, identity, drains, beats, records } = ground;
  return {
    open: async () => {
      const past = ground.open();
      const write = async (key: string): Promise<void> => {
        past.requireLearnt();
        await records.commitLocal(append([record(key)], 'x'));
      };
      return { drains, beats, records, past, write };
    },
    dateBack: async (byMs) => {
      const { drained } = identity.row;
      if (drained !== null) identity.change({ drained: { ...drained, sinceMs: drained.sinceMs - byMs } });
    },
    restart: async () => {
      database.crash();
      await ground.open().accept();
    },
    close: async () => undefined,
  };
});

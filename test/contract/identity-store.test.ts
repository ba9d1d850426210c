/** The contract of `IdentityStore` in memory and on a real Postgres that is really started anew. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import { afterAll, beforeAll, expect } from 'vitest';
import { until } from '../until.ts';
import { freshDatabase } from './fresh-database.ts';
import { type IdentityProcess, identityStoreContract } from './identity-store.contract.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { append, record, region } from './record-store.contract.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

async function beatOf(beats: BeatStore): Promise<void> {
  const hold = (await beats.tryHold()) ?? expect.fail('nobody holds the beats');
  await hold.beat();
  await hold.release();
}

identityStoreContract('memory', async () => {
  const { database, beats, open } = freshMemoryIdentity();
  const [one, two] = [open(), open()].map((store): IdentityProcess => {
    return { store, write: async () => store.requireProven() };
  });
  return {
    one: one ?? expect.fail('it was opened'),
    two: two ?? expect.fail('it was opened'),
    beat: () => beatOf(beats),
    restart: async () => database.crash(),
    close: async () => {},
  };
});

identityStoreContract('postgres', async () => {
  const fresh = await freshDatabase(postgres);
  const open = (): Promise<Database> => {
    const { url: connectionString, slotName } = fresh;
    return openDatabase({ connectionString, region: region('eu'), peers: [], slotName });
  };
  const [first, second] = await Promise.all([open(), open()]);
  const processOf = ({ past: store, records }: Database): IdentityProcess => ({
    store,
    write: async () => void (await records.commitLocal(append([record('a')], 'x'))),
  });
  return {
    one: processOf(first),
    two: processOf(second),
    beat: () => beatOf(first.beats),
    restart: async () => {
      await postgres.kill('SIGKILL');
      await postgres.restart();
      for (const { past } of [first, second])
        await until('the server answers', 30_000, async () => {
          return (await past.continuity().catch(() => null)) !== null;
        });
    },
    close: async () => {
      await Promise.all([first.close(), second.close()]);
      await fresh.drop();
    },
  };
});

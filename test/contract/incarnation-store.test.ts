/** The contract of `IncarnationStore` in memory and on a real Postgres, and that of `SessionStore` on the latter. */
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { parseLsn } from '@isthmus/replication/adapters/postgres/wal-message';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { incarnationStoreContract } from './incarnation-store.contract.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { append, record, region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

function open({ url: connectionString, slotName }: FreshDatabase): Promise<Database> {
  return openDatabase({ connectionString, region: region('eu'), peers: [], slotName, trustsRestarts: true });
}

async function write(beats: Pick<BeatStore, 'tryHold'>, count: number): Promise<void> {
  const hold = (await beats.tryHold()) ?? expect.fail('nobody holds the beats');
  for (let written = 0; written < count; written++) await hold.beat();
  await hold.release();
}

incarnationStoreContract('memory', () => {
  const { incarnations: store, tombstones, jobs, beats, clock, open: openMemory } = freshMemoryIdentity();
  let past = openMemory();
  return Promise.resolve({
    store,
    past,
    tombstones,
    beats: () => beats,
    jobs: () => jobs,
    beat: async (count, aheadMs) => {
      clock.aheadMs = aheadMs;
      await write(beats, count);
    },
    renew: async (promised, counter = 2) => {
      await past.adopt({ claim: await past.noteClaim({ counter, nonce: 9 }), promised });
      past = openMemory();
      return store;
    },
    close: () => Promise.resolve(),
  });
});

incarnationStoreContract('postgres', async () => {
  const fresh = await freshDatabase(postgres);
  let database = await open(fresh);
  return {
    store: database.incarnations,
    past: database.past,
    tombstones: database.tombstones,
    beats: () => database.beats,
    jobs: () => database.jobs,
    beat: async (count, aheadMs) => {
      const before = (await database.past.newestBeat()).beat?.number ?? 0;
      await write(database.beats, count);
      await fresh.sql("UPDATE isthmus.beat SET at = at + $1 * interval '1 ms' WHERE number > $2", [
        aheadMs,
        before,
      ]);
    },
    renew: async (promised, counter = 2) => {
      const claim = await database.past.noteClaim({ counter, nonce: 9 });
      await database.past.adopt({ claim, promised });
      await database.close();
      database = await open(fresh);
      expect(database.identity.incarnation).toEqual(claim);
      return database.incarnations;
    },
    close: async () => {
      await database.close();
      await fresh.drop();
    },
  };
});

const wish = { donor: region('us'), origin: region('eu'), cause: 'own-past', isDryRun: false } as const;

async function renew(database: Database, counter: number): Promise<void> {
  const claim = await database.past.noteClaim({ counter, nonce: 9 });
  await database.past.adopt({ claim, promised: null });
  await database.close();
}

it('a restored copy that goes on as another life has fetched nothing, whatever its original fetched', async () => {
  const fresh = await freshDatabase(postgres);
  await renew(await open(fresh), 2);
  const learning = await open(fresh);
  const before = await learning.incarnations.relearning();
  const fetched = await learning.jobs.want(wish);
  await learning.jobs.end(fetched, { state: 'done', detail: '' });
  await learning.close();
  const copy = await freshDatabase(postgres, `TEMPLATE ${fresh.name}`);
  await renew(await open(copy), 3);
  const restored = await open(copy);
  const after = await restored.incarnations.relearning();
  expect([before?.firstJob, fetched, after?.firstJob]).toEqual([1, 2, 3]);
  expect(await restored.jobs.want(wish)).toBe(4);
  await restored.close();
  await copy.drop();
  await fresh.drop();
});

it('a life that was learning before lives drew numbers has fetched nothing yet', async () => {
  const fresh = await freshDatabase(postgres);
  await renew(await open(fresh), 2);
  const before = await open(fresh);
  const fetched = await before.jobs.want(wish);
  await before.jobs.end(fetched, { state: 'done', detail: '' });
  await before.close();
  await fresh.sql('ALTER TABLE isthmus.own_past DROP COLUMN next_job');
  await fresh.sql('DELETE FROM isthmus.migration WHERE number = 32');
  const migrated = await open(fresh);
  expect((await migrated.incarnations.relearning())?.firstJob).toBeGreaterThan(fetched);
  await migrated.close();
  await fresh.drop();
});

it('the place of sessions tells positions, what may be ahead, ended incarnations and the insert position apart', async () => {
  const fresh = await freshDatabase(postgres);
  const database = await open(fresh);
  const origin = region('us');
  const incarnation = { counter: 1, nonce: 7 };
  const at = (partition: number, lsn: bigint) => ({ region: origin, incarnation, partition, lsn });
  const position = {
    origin,
    incarnation,
    partition: 0,
    applied: 9n,
    settled: 5n,
    beat: null,
    nextOffset: 0n,
  };
  await database.records.createPosition(position);
  await database.transfers.expect([at(1, 12n)]);
  await database.incarnations.close(at(2, 2n ** 63n));
  const committed = await database.records.commitLocal(append([record('a')], 'x'));
  const place = await database.sessions.place();
  expect(place).toMatchObject({
    applied: [at(0, 9n)],
    settled: [at(0, 5n)],
    ahead: [at(1, 12n)],
    closed: [at(2, 2n ** 63n)],
    retired: [],
  });
  expect(committed !== null && place.insertLsn >= committed.end).toBe(true);
  expect(committed?.seen).toEqual({ applied: [at(0, 9n)], ahead: [at(1, 12n)] });
  const [row] = await fresh.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  expect(place.insertLsn <= parseLsn(String(row?.['lsn']))).toBe(true);
  await database.retirements.close(origin, null);
  expect(await database.sessions.place()).toMatchObject({ closed: place.closed, retired: [] });
  await database.retirements.retire(origin, { final: [at(0, 9n)], heir: region('eu') }, [origin]);
  expect(await database.sessions.place()).toMatchObject({ closed: [at(0, 9n)], retired: [origin] });
  await database.close();
  await fresh.drop();
});

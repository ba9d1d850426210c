/** The contracts of `IncidentStore` and `DeadLetterStore` on a real Postgres and in memory. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client } from 'pg';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryIncidentStore } from '@isthmus/replication/adapters/memory/incident-store';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database } from '@isthmus/replication/adapters/postgres/open-database';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { IncidentConflict } from '@isthmus/replication/ports/incident-store';
import { deadLetterStoreContract } from './dead-letter-store.contract.ts';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { incidentStoreContract } from './incident-store.contract.ts';
import { until } from '../until.ts';
import { bytes, region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

interface Opened {
  readonly fresh: FreshDatabase;
  readonly database: Database;
  readonly close: () => Promise<void>;
}

async function open(): Promise<Opened> {
  const fresh = await freshDatabase(postgres);
  const database = await openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [region('us')],
    slotName: fresh.slotName,
  });
  const close = async () => {
    await database.close();
    await fresh.drop();
  };
  return { fresh, database, close };
}

deadLetterStoreContract('postgres', async () => {
  const { fresh, database, close } = await open();
  const age = async (ms: number): Promise<void> => {
    await fresh.sql(`UPDATE isthmus.dead_letter SET closed_at = closed_at - interval '${ms} milliseconds'`);
  };
  return { letters: database.deadLetters, records: database.records, age, close };
});

deadLetterStoreContract('memory', () => {
  let nowMs = 0;
  const records = new MemoryRecordStore(new MemoryDatabase({ nowMs: () => nowMs }));
  const age = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  return Promise.resolve({ letters: records.deadLetters, records, age, close: () => Promise.resolve() });
});

incidentStoreContract('postgres', async () => {
  const { database, close } = await open();
  return { store: database.incidents, note: noteByApplying(database), close };
});

incidentStoreContract('memory', () => {
  const store = new MemoryIncidentStore();
  const note = (peer: RegionId, conflicts: readonly IncidentConflict[]) =>
    Promise.resolve(store.note(peer, conflicts));
  return Promise.resolve({ store, note, close: () => Promise.resolve() });
});

test('a retry locks the position first, so it never settles past a letter that comes meanwhile (P4)', async () => {
  const fresh = await freshDatabase(postgres);
  const [us, incarnation] = [region('us'), { counter: 1, nonce: 7 }];
  const database = await openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [us],
    slotName: fresh.slotName,
  });
  const at = { origin: us, incarnation, partition: 0, beat: null, nextOffset: 0n };
  await database.records.createPosition({ ...at, applied: 0n, settled: 0n });
  const refused = { cause: 'malformed', detail: 'x', stampMs: null, delta: bytes('d') } as const;
  const letter = { collection: 'a', key: 'k', partition: 0, lsn: 20n, index: 0, ...refused };
  await database.records.applyRemote({
    origin: us,
    positions: [{ ...at, expected: 0n, applied: 30n }],
    ids: [],
    decide: () => ({ writes: [], deadLetters: [letter] }),
  });
  const applier = new Client({ connectionString: fresh.url });
  await applier.connect();
  await applier.query('BEGIN');
  await applier.query('UPDATE isthmus.position SET next_offset = 1');
  const place = { origin: us, incarnation, partition: 0, lsn: 20n, index: 0 };
  const retried = database.deadLetters.retry([place], (_state, state) => {
    return { kind: 'apply', state, conflicts: 0 };
  });
  await until('the retry waits for the applier', 10_000, async () => {
    const waiting = await fresh.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return waiting.length > 0;
  });
  await applier.query(`INSERT INTO isthmus.dead_letter (origin, incarnation_counter, incarnation_nonce, partition,
    lsn, index, collection, key, delta, cause, detail) VALUES ('us', 1, 7, 0, '0/19', 0, 'a', 'k', 'd', 'malformed', 'x')`);
  await applier.query('COMMIT');
  await applier.end();
  expect(await retried).toEqual(['applied']);
  expect(await database.records.positions(us)).toMatchObject([{ applied: 30n, settled: 24n }]);
  await database.close();
  await fresh.drop();
});

/** Applies changes of the peer in which these conflicts are found. */
function noteByApplying({ records }: Database) {
  let applied = 0n;
  const incarnation = { counter: 1, nonce: 7 };
  return async (origin: RegionId, conflicts: readonly IncidentConflict[]): Promise<void> => {
    const at = { origin, incarnation, partition: 0, beat: null, nextOffset: 0n };
    await records.createPosition({ ...at, applied, settled: applied });
    const move = { ...at, expected: applied, applied: ++applied };
    await records.applyRemote({
      origin,
      positions: [move],
      ids: conflicts.map(({ collection, key }) => ({ collection, key })),
      decide: () => ({
        writes: conflicts.map((_, index) => ({ index, state: bytes('x') })),
        deadLetters: [],
        conflicts: conflicts.map(({ fields }, index) => ({ index, fields })),
      }),
    });
  };
}

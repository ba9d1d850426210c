/** The contracts of `IncidentStore` and `DeadLetterStore` on a real Postgres and in memory. */
import { afterAll, beforeAll } from 'vitest';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { MemoryIncidentStore } from '@isthmus/replication/adapters/memory/incident-store';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database } from '@isthmus/replication/adapters/postgres/open-database';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { IncidentConflict } from '@isthmus/replication/ports/incident-store';
import { deadLetterStoreContract } from './dead-letter-store.contract.ts';
import { freshDatabase } from './fresh-database.ts';
import { incidentStoreContract } from './incident-store.contract.ts';
import { bytes, region } from './record-store.contract.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

async function open(): Promise<{ readonly database: Database; readonly close: () => Promise<void> }> {
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
  return { database, close };
}

deadLetterStoreContract('postgres', async () => {
  const { database, close } = await open();
  return { letters: database.deadLetters, records: database.records, close };
});

deadLetterStoreContract('memory', () => {
  const records = new MemoryRecordStore();
  return Promise.resolve({ letters: records.deadLetters, records, close: () => Promise.resolve() });
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

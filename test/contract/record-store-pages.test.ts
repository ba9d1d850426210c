/**
 * What repeated writes do to the pages of the table: records that are written together again and again find room
 * beside their earlier versions, so that the table does
 * not grow with the number of writes.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database } from '@isthmus/replication/adapters/postgres/open-database';
import { maxTransactionRecords } from '@isthmus/replication/transaction-limits';
import type { FreshDatabase } from './fresh-database.ts';
import { freshDatabase } from './fresh-database.ts';
import { bytes, record, region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

const passes = 8;
const stateBytes = 300;

let postgres: ScratchPostgres;
let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  postgres = await startScratchPostgres();
  fresh = await freshDatabase(postgres);
  const { url: connectionString, slotName } = fresh;
  database = await openDatabase({ connectionString, region: region('eu'), peers: [], slotName });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
  await postgres.stop();
});

const ids = Array.from({ length: maxTransactionRecords }, (_, index) => record(`item-${index}`));

async function writeAll(pass: number): Promise<void> {
  const state = bytes(String(pass).repeat(stateBytes));
  const decide = () => ids.map((_, index) => ({ index, state, delta: bytes('d') }));
  await database.records.commitLocal({ ids, decide });
}

async function tableBytes(): Promise<number> {
  const [row] = await fresh.sql("SELECT pg_relation_size('isthmus.record')::int AS bytes");
  return Number(row?.['bytes']);
}

it('keeps new versions of records that are written together in the pages of the old ones', async () => {
  await fresh.sql('ALTER TABLE isthmus.record SET (autovacuum_enabled = off)');
  await writeAll(1);
  await writeAll(2);
  const early = await tableBytes();
  for (let pass = 3; pass <= passes; pass++) await writeAll(pass);
  // Some growth is allowed, because whatever holds a snapshot keeps old versions for its time.
  expect(await tableBytes()).toBeLessThan(2 * early);
});

/** What Postgres says of the relay's slot while its write-ahead log grows to the limit and beyond. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { judgeSlot } from '@isthmus/replication/relay/slot-watch';
import { freshDatabase } from './fresh-database.ts';
import { region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

const mebibyte = 1024 * 1024;
const limitBytes = 64 * mebibyte;

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres({
    max_slot_wal_keep_size: '64MB',
    min_wal_size: '32MB',
    max_wal_size: '48MB',
  });
});
afterAll(async () => {
  await postgres.stop();
});

test('a slot that nobody confirms is at risk, then critical, then lost, and never silently', async () => {
  const fresh = await freshDatabase(postgres);
  const { slotName } = fresh;
  const database = await openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [],
    slotName,
  });
  const well = await database.slotHealth();
  expect(well).toMatchObject({ walStatus: 'reserved', limitBytes });
  expect(well.safeBytes).toBeGreaterThan(limitBytes / 2);
  expect(judgeSlot(well)).toBe('ok');
  const levels: string[] = [];
  for (let round = 0; round < 60 && levels.at(-1) !== 'lost'; round++) {
    await fresh.sql("SELECT pg_logical_emit_message(false, 'other', repeat('x', 4 * 1024 * 1024))");
    await fresh.sql('CHECKPOINT');
    const level = judgeSlot(await database.slotHealth());
    if (level !== levels.at(-1)) levels.push(level);
  }
  expect(levels).toEqual(['ok', 'at-risk', 'critical', 'lost']);
  expect(await database.slotHealth()).toMatchObject({ walStatus: 'lost', safeBytes: null });
  await database.close();
  await fresh.drop();
}, 60_000);

test('without a slot, and without a limit, it says so', async () => {
  const unlimited = await startScratchPostgres({ max_slot_wal_keep_size: '-1' });
  const fresh = await freshDatabase(unlimited);
  const database = await openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [],
    slotName: fresh.slotName,
  });
  const none = { safeBytes: null, limitBytes: null };
  const health = await database.slotHealth();
  expect(health).toEqual({ ...none, walStatus: 'reserved', retainedBytes: expect.any(Number) });
  expect(judgeSlot(health)).toBe('ok');
  await fresh.sql('SELECT pg_drop_replication_slot($1)', [fresh.slotName]);
  expect(await database.slotHealth()).toEqual({ ...none, walStatus: null, retainedBytes: null });
  await database.close();
  await fresh.drop();
  await unlimited.stop();
}, 60_000);

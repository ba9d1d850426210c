/**
 * A process that ends while it makes a lost slot anew: whatever it had done, `rpo{log}` never says that the log holds what
 * no slot has read (P7, I10), and whoever takes the slot up knows where it begins.
 */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { parseLsn } from '@isthmus/replication/adapters/postgres/wal-message';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Client } from 'pg';
import { until } from '../until.ts';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { append, record, region } from './record-store.contract.ts';

let postgres: Postgres;
let fresh: FreshDatabase;
let database: Database;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  fresh = await freshDatabase(postgres);
  database = await open();
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

function open(): Promise<Database> {
  const { url: connectionString, slotName } = fresh;
  const peers = [region('us')];
  return openDatabase({ connectionString, region: region('eu'), peers, slotName, trustsRestarts: true });
}

/** A beat that the log holds. */
async function beat(): Promise<number> {
  const { beats, transfers } = database;
  const hold = await beats.tryHold();
  await hold?.beat();
  await hold?.release();
  const { newest } = await beats.ownBeats();
  if (newest === null) return expect.fail('a beat was just written');
  const { insertLsn: end } = await transfers.standing();
  await beats.storePublished([{ ...newest, end, count: newest.number }]);
  return newest.atMs;
}

const loggedAt = async () => (await database.beats.ownBeats()).logCoveredAtMs;

/** A peer says that it has settled everything up to there. */
async function peerSettles(lsn: bigint): Promise<void> {
  const { incarnation, partitionCount } = database.identity;
  await fresh.sql(
    `INSERT INTO isthmus.peer_progress (peer, incarnation_counter, incarnation_nonce, own_counter, own_nonce, settled, heard_at_ms)
    VALUES ('us', 1, 1, $1, $2, array_fill($3::pg_lsn, ARRAY[$4::int]), 0)
    ON CONFLICT (peer) DO UPDATE SET settled = excluded.settled`,
    [incarnation.counter, incarnation.nonce, text(lsn), partitionCount],
  );
}

function text(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`;
}

async function insertLsn(): Promise<bigint> {
  const [row] = await fresh.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  return parseLsn(String(row?.['lsn']));
}

const dropSlot = () => fresh.sql(`SELECT pg_drop_replication_slot('${fresh.slotName}')`);

test('a life is announced before its slot is made', async () => {
  await dropSlot();
  const blocker = new Client({ connectionString: fresh.url });
  await blocker.connect();
  // A slot is made only once every transaction that was running has ended.
  await blocker.query('BEGIN; SELECT pg_current_xact_id()');
  const renewing = database.slots.renew('dropped');
  await until('the life is announced', 10_000, async () => {
    const rows = await fresh.sql('SELECT number, made FROM isthmus.slot_life ORDER BY number');
    return JSON.stringify(rows.at(-1)) === '{"number":"2","made":false}';
  });
  await blocker.end();
  expect(await renewing).toMatchObject({ number: 2 });
  expect(await fresh.sql('SELECT FROM isthmus.slot_life WHERE NOT made')).toEqual([]);
});

test('a slot that was made by a process which ended before it knew the place is not believed, then completed', async () => {
  const before = await beat();
  await dropSlot();
  await fresh.sql(
    `INSERT INTO isthmus.slot_life (number, from_lsn, reason, made)
    VALUES (2, pg_current_wal_insert_lsn(), 'dropped', false)`,
  );
  const announced = await insertLsn();
  await database.records.commitLocal(append([record('a')], 'read by no slot'));
  await fresh.sql(`SELECT pg_create_logical_replication_slot('${fresh.slotName}', 'pgoutput')`);
  await beat();
  await peerSettles(announced);
  expect(await loggedAt(), 'what no slot has read is in no log').toBe(before);

  const life = await database.slots.life();
  expect(life?.number).toBe(2);
  expect((life?.from ?? 0n) > announced).toBe(true);
  expect(await loggedAt()).toBe(before);
  await peerSettles(await insertLsn());
  expect(await loggedAt()).toBeGreaterThan(before);
});

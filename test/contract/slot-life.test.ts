/**
 * A process that ends while it makes a lost slot anew: whatever it had done, `rpo{log}` never says that the log holds what
 * no slot has read (P7, I10), and whoever takes the slot up knows where it begins.
 */
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { parseLsn } from '@isthmus/replication/adapters/postgres/wal-message';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Client } from 'pg';
import { until } from '../until.ts';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { append, record, region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
let fresh: FreshDatabase;
let database: Database;

beforeAll(async () => {
  postgres = await startScratchPostgres();
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
  const { newest } = (await beats.overview()).own;
  if (newest === null) return expect.fail('a beat was just written');
  const { insertLsn: end } = await transfers.standing();
  await beats.storePublished([{ ...newest, end, count: newest.number }]);
  return newest.atMs;
}

const loggedAt = async () => (await database.beats.overview()).own.logCoveredAtMs;

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

/** A slot is made only once every transaction that was writing anywhere in the cluster has ended. */
async function writeLong(): Promise<Client> {
  const writer = new Client({ connectionString: fresh.url });
  await writer.connect();
  await writer.query('BEGIN; SELECT pg_current_xact_id()');
  return writer;
}

const isWaitedFor = (slotName: string) => async () => {
  const slots = await fresh.sql(
    'SELECT confirmed_flush_lsn AS begins FROM pg_replication_slots WHERE slot_name = $1',
    [slotName],
  );
  return slots.length === 1 && slots[0]?.['begins'] === null;
};

test('a life is announced before its slot is made', async () => {
  await dropSlot();
  const writer = await writeLong();
  const renewing = database.slots.renew('dropped');
  await until('the slot is being made', 10_000, isWaitedFor(fresh.slotName));
  expect(await database.slots.life(), 'nobody knows yet where it begins').toMatchObject({ number: 2 });
  expect(await fresh.sql('SELECT number FROM isthmus.slot_life WHERE NOT made')).toEqual([{ number: '2' }]);
  await writer.end();
  expect(await renewing).toMatchObject({ number: 2 });
  expect(await fresh.sql('SELECT FROM isthmus.slot_life WHERE NOT made')).toEqual([]);
});

test('a slot is made, for a lost one and for a new incarnation, also where a transaction takes longer than a statement may', async () => {
  const other = await freshDatabase(postgres);
  const { url: connectionString, slotName } = other;
  const renewed = await openDatabase({ connectionString, region: region('us'), peers: [], slotName });
  await dropSlot();
  const claim = await renewed.past.noteClaim({ counter: 2, nonce: 9 });
  const writer = await writeLong();
  const making = Promise.all([
    database.slots.renew('dropped'),
    renewed.past.adopt({ claim, promised: null }),
  ]);
  const pastAnswerTimeout = async () => {
    const waiting = await fresh.sql(
      `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_create_logical_replication_slot%' AND pid <> pg_backend_pid()
      AND state = 'active' AND clock_timestamp() - query_start > interval '8500 ms'`,
    );
    return waiting.length === 2;
  };
  await Promise.race([making, until('both wait for long', 20_000, pastAnswerTimeout)]);
  await writer.end();
  const [life] = await making;
  expect(life).toMatchObject({ number: 2 });
  await renewed.close();
  await other.drop();
}, 40_000);

test('who stops does not wait for a slot', async () => {
  await dropSlot();
  const writer = await writeLong();
  const stop = new AbortController();
  const renewing = database.slots.renew('dropped', stop.signal);
  await until('the slot is being made', 10_000, isWaitedFor(fresh.slotName));
  stop.abort();
  await expect(renewing).rejects.toMatchObject({ code: 'database-unavailable' });
  await expect(database.slots.renew('dropped', stop.signal)).rejects.toMatchObject({ retriable: true });
  await writer.end();
  await until('it is made by whoever comes next', 10_000, async () => {
    const life = await database.slots.renew('dropped').catch(() => null);
    return life?.number === 2;
  });
});

test('two that make a slot anew at once make one', async () => {
  const rival = await open();
  await dropSlot();
  const writer = await writeLong();
  const first = database.slots.renew('dropped');
  await until('the slot is being made', 10_000, isWaitedFor(fresh.slotName));
  const second = rival.slots.renew('dropped too');
  const isBehind = async () => {
    const waiting = await fresh.sql(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    );
    return waiting.length === 1;
  };
  await Promise.race([second, until('the second waits', 4_000, isBehind)]);
  await writer.end();
  const life = await first;
  expect(await second).toEqual(life);
  expect(life).toMatchObject({ number: 2 });
  expect(life.from).toBeGreaterThan(0n);
  await rival.close();
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

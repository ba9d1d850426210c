/**
 * The contract of `TombstoneStore` on a real Postgres, and what only one with real transactions can get wrong: writers
 * that hold the generation which is closed under them, and writers that wait for a row which is being dropped.
 */
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { record, region } from './record-store.contract.ts';
import { creation, deletion, drop, tombstoneStoreContract, write } from './tombstone-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

function open(fresh: FreshDatabase): Promise<Database> {
  const { url: connectionString, slotName } = fresh;
  return openDatabase({ connectionString, region: region('eu'), peers: [region('us')], slotName });
}

tombstoneStoreContract('postgres', async () => {
  const fresh = await freshDatabase(postgres);
  const database = await open(fresh);
  const close = async (): Promise<void> => {
    await database.close();
    await fresh.drop();
  };
  return { ...database, close };
});

describe('the Postgres tombstone store', () => {
  let fresh: FreshDatabase;
  let database: Database;
  let rival: Client;
  beforeEach(async () => {
    fresh = await freshDatabase(postgres);
    database = await open(fresh);
    rival = new Client({ connectionString: fresh.url });
    await rival.connect();
  });
  afterEach(async () => {
    await rival.end();
    await database.close();
    await fresh.drop();
  });

  it('a transaction that runs at the close keeps the barrier waiting until it has ended (P8)', async () => {
    const { tombstones, records } = database;
    await write(records, record('a'), creation);
    await rival.query("BEGIN; SELECT FROM isthmus.record WHERE key = 'a' FOR NO KEY UPDATE");
    const { rows } = await rival.query('SELECT generation FROM isthmus.identity');
    expect(rows).toEqual([{ generation: '1' }]);
    const mark = await tombstones.close(1);
    await write(records, record('b'), creation);
    expect(await tombstones.hasEnded(mark)).toBe(false);
    await rival.query("UPDATE isthmus.record SET gen = 1 WHERE key = 'a'; COMMIT");
    await until('the writer has ended', 5000, () => tombstones.hasEnded(mark));
    const late = new Client({ connectionString: fresh.url });
    await late.connect();
    await late.query("BEGIN; SELECT FROM isthmus.record WHERE key = 'a' FOR NO KEY UPDATE");
    expect(await tombstones.hasEnded(mark)).toBe(true);
    await late.end();
  });

  it('who waits for a record that is dropped meanwhile writes above its floor (P3)', async () => {
    const { tombstones, records } = database;
    await write(records, record('a'), creation);
    await write(records, record('a'), deletion);
    await rival.query("BEGIN; SELECT FROM isthmus.record WHERE key = 'a' FOR NO KEY UPDATE");
    const collecting = tombstones.collect({
      ids: [record('a')],
      through: 1,
      decide: (rows) => rows.map(() => drop),
    });
    const waiting = async (count: number): Promise<boolean> => {
      const found = await fresh.sql(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return found.length === count;
    };
    await until('the collector waits', 5000, () => waiting(1));
    let floors: unknown = null;
    const writing = records.commitLocal({
      ids: [record('a')],
      decide: ({ states, floor, floorMs }) => {
        floors = { bytes: states[0]?.length, floor, floorMs };
        return [];
      },
    });
    await until('the writer waits as well', 5000, () => waiting(2));
    await rival.query('COMMIT');
    expect(await collecting).toBe(1);
    await writing;
    expect(floors).toEqual({ bytes: 0, floor: 9, floorMs: 5000 });
  });

  it('looks at rows from before it knew who is dead, and at living ones only once', async () => {
    const { tombstones, records } = database;
    await write(records, record('a'), creation);
    await fresh.sql('UPDATE isthmus.record SET dead = NULL');
    expect(await tombstones.countDead()).toBe(1);
    await tombstones.collect({ ids: [record('a')], through: 1, decide: () => [{ kind: 'lives' }] });
    expect(await tombstones.hasDead()).toBe(false);
    expect(await records.read(record('a'))).not.toBeNull();
  });
});

/**
 * Opening a region's database: what a fresh one gets, what an unsuitable one is told, and that one database never
 * serves two identities (P1, I11).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database, DatabaseConfig } from '@isthmus/replication/adapters/postgres/open-database';
import type { FreshDatabase, Row } from './fresh-database.ts';
import { freshDatabase, query } from './fresh-database.ts';
import { append, record, region, text } from './record-store.contract.ts';

let postgres: Postgres;
let fresh: FreshDatabase;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
});
beforeEach(async () => {
  fresh = await freshDatabase(postgres, '');
});
afterEach(async () => {
  await fresh.drop();
});

function open(changes: Partial<DatabaseConfig> = {}): Promise<Database> {
  return openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [],
    slotName: fresh.slotName,
    ...changes,
  });
}

function slots(): Promise<readonly Row[]> {
  return fresh.sql(
    'SELECT plugin, failover, active FROM pg_replication_slots WHERE database = current_database()',
  );
}

describe('a fresh database', () => {
  it('becomes a region: first incarnation, publication, slot that survives a failover', async () => {
    const database = await open({ partitionCount: 5 });
    expect(database.identity).toMatchObject({
      region: 'eu',
      partitionCount: 5,
      incarnation: { counter: 1 },
    });
    expect(database.warnings).toEqual([]);
    expect(await slots()).toEqual([{ plugin: 'pgoutput', failover: true, active: false }]);
    expect(await fresh.sql('SELECT pubname, puballtables FROM pg_publication')).toEqual([
      { pubname: 'isthmus_relay', puballtables: false },
    ]);
    await database.close();
  });

  it('keeps its identity and partition count for ever', async () => {
    const first = await open({ partitionCount: 5 });
    await first.close();
    const second = await open({ partitionCount: 9 });
    expect(second.identity).toEqual(first.identity);
    await second.close();
  });

  it('gets one identity and one slot from many processes that start at once', async () => {
    const databases = await Promise.all([1, 2, 3, 4, 5].map(() => open()));
    const nonces = new Set(databases.map((database) => database.identity.incarnation.nonce));
    expect(nonces.size).toBe(1);
    expect(await slots()).toHaveLength(1);
    expect(await fresh.sql('SELECT region FROM isthmus.identity')).toEqual([{ region: 'eu' }]);
    await Promise.all(databases.map((database) => database.close()));
  });

  it('takes the right to emit messages from everybody else', async () => {
    await fresh.sql(`CREATE ROLE "${fresh.name}" LOGIN`);
    const may = `SELECT bool_or(has_function_privilege('${fresh.name}', oid, 'EXECUTE')) AS may
      FROM pg_proc WHERE proname = 'pg_logical_emit_message'`;
    expect(await fresh.sql(may)).toEqual([{ may: true }]);
    const database = await open();
    expect(await fresh.sql(may)).toEqual([{ may: false }]);
    await database.close();
    await fresh.sql(`DROP ROLE "${fresh.name}"`);
  });

  it('is served to a role with no more than LOGIN, REPLICATION and CREATE on the database', async () => {
    await fresh.sql(`CREATE ROLE "${fresh.name}" LOGIN REPLICATION PASSWORD 'p'`);
    await fresh.sql(`GRANT CREATE ON DATABASE ${fresh.name} TO "${fresh.name}"`);
    const url = fresh.url.replace(/\/\/.*@/, `//${fresh.name}:p@`);
    const database = await open({ connectionString: url });
    await database.records.commitLocal(append([record('a')], 'x'));
    expect(text(await database.records.read(record('a')))).toBe('x');
    await database.close();
    await fresh.sql(`DROP OWNED BY "${fresh.name}"; DROP ROLE "${fresh.name}"`);
  });

  it('replaces a slot that an earlier life of it left behind', async () => {
    await fresh.sql(`SELECT pg_create_logical_replication_slot('${fresh.slotName}', 'pgoutput')`);
    const database = await open();
    expect(await slots()).toEqual([{ plugin: 'pgoutput', failover: true, active: false }]);
    await database.close();
  });
});

describe('a database that is in use', () => {
  it('is not opened for another region', async () => {
    await (await open()).close();
    await expect(open({ region: region('us') })).rejects.toMatchObject({
      code: 'identity-mismatch',
      retriable: false,
      message: expect.stringContaining('"eu"'),
    });
  });

  it('does not get a second slot when it has lost its own (I3)', async () => {
    await (await open()).close();
    await fresh.sql(`SELECT pg_drop_replication_slot('${fresh.slotName}')`);
    const database = await open();
    expect(await slots()).toEqual([]);
    expect(database.warnings).toEqual([expect.stringContaining(`"${fresh.slotName}"`)]);
    await database.close();
  });

  it.each([
    ['system identifier', 'UPDATE isthmus.identity SET system_identifier = 12345'],
    ['incarnation', 'UPDATE isthmus.identity SET incarnation_nonce = (incarnation_nonce + 1) % 4294967296'],
    ['incarnation', 'UPDATE isthmus.identity SET incarnation_counter = 2'],
  ])('refuses writes and serves reads on a server with another %s', async (what, change) => {
    const database = await open();
    await database.records.commitLocal(append([record('a')], '1'));
    await fresh.sql(change);
    // Connections that were proven before stay; a new one is what a failover brings.
    await endConnections();
    await expect(database.records.commitLocal(append([record('a')], '2'))).rejects.toMatchObject({
      code: 'identity-mismatch',
      retriable: false,
      message: expect.stringContaining(what),
    });
    await expect(database.beats.tryHold()).rejects.toMatchObject({ code: 'identity-mismatch' });
    expect(text(await database.records.read(record('a')))).toBe('1');
    await database.close();
  });

  it.each([
    ['started anew', "UPDATE isthmus.identity SET postmaster_started_at = '2001-01-01'", false],
    ['promoted', 'UPDATE isthmus.identity SET timeline = timeline + 1', true],
  ])(
    'writes nothing on a server that was %s before it is proven, then goes on (P1)',
    async (_, change, isPromoted) => {
      const database = await open();
      await database.records.commitLocal(append([record('a')], '1'));
      await fresh.sql(change);
      await endConnections();
      const refused = { code: 'database-unavailable', retriable: true };
      await expect(database.records.commitLocal(append([record('a')], '2'))).rejects.toMatchObject(refused);
      await expect(database.beats.tryHold()).rejects.toMatchObject(refused);
      expect(text(await database.records.read(record('a')))).toBe('1');
      const continuity = await database.past.continuity();
      if (continuity.kind !== 'unproven') return expect.fail(continuity.kind);
      expect(continuity.isPromoted).toBe(isPromoted);
      await database.past.prove({ ...continuity.lineage, postmasterStart: '1.5' });
      await expect(database.records.commitLocal(append([record('a')], '2'))).rejects.toMatchObject(refused);
      await database.past.prove(continuity.lineage);
      await database.records.commitLocal(append([record('a')], '2'));
      expect(await database.past.continuity()).toEqual({ kind: 'same' });
      await database.close();
    },
  );

  it('takes a restart for what it seems where there is no log to compare with', async () => {
    const database = await open({ trustsRestarts: true });
    await fresh.sql("UPDATE isthmus.identity SET postmaster_started_at = '2001-01-01'");
    await endConnections();
    await database.records.commitLocal(append([record('a')], '1'));
    expect(await database.past.continuity()).toEqual({ kind: 'same' });
    await database.close();
  });

  it('stops the writes of all its processes while it is held, until an operator accepts it (I11)', async () => {
    const [one, other] = [await open(), await open()];
    await other.records.commitLocal(append([record('a')], '1'));
    await one.past.hold('another database writes in our name');
    const refused = { code: 'identity-mismatch', message: expect.stringContaining('writes in our name') };
    for (const database of [one, other]) {
      await vi.waitFor(
        () => expect(database.records.commitLocal(append([record('a')], '2'))).rejects.toMatchObject(refused),
        { timeout: 5_000 },
      );
    }
    await one.past.accept();
    for (const database of [one, other]) await database.records.commitLocal(append([record('a')], '3'));
    await Promise.all([one.close(), other.close()]);
  });

  it('is refused to a program that knows fewer migrations, or other ones', async () => {
    await (await open()).close();
    await fresh.sql("INSERT INTO isthmus.migration (number, name, checksum) VALUES (999, 'later', '')");
    await expect(open()).rejects.toMatchObject({
      code: 'database-misconfigured',
      message: expect.stringContaining('migration 999'),
    });
    await fresh.sql("UPDATE isthmus.migration SET checksum = 'other' WHERE number = 1");
    await fresh.sql('DELETE FROM isthmus.migration WHERE number = 999');
    await expect(open()).rejects.toMatchObject({
      code: 'database-misconfigured',
      message: expect.stringContaining('migration 1'),
    });
  });
});

describe('an unsuitable database', () => {
  it('is told that it must decode logically, and nothing is written to it', async () => {
    const plain = await startPostgres({ settings: { wal_level: 'replica' } });
    await expect(open({ connectionString: plain.url })).rejects.toMatchObject({
      code: 'database-misconfigured',
      retriable: false,
      message: expect.stringContaining("ALTER SYSTEM SET wal_level = 'logical'"),
    });
    expect(await query(plain.url, "SELECT FROM pg_namespace WHERE nspname = 'isthmus'")).toEqual([]);
    await plain.stop();
  });

  it('is told all that is wrong at once', async () => {
    const latin = await freshDatabase(postgres, "ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    await latin.sql(`CREATE ROLE "${latin.name}" LOGIN PASSWORD 'p'`);
    const opening = open({ connectionString: latin.url.replace(/\/\/.*@/, `//${latin.name}:p@`) });
    await expect(opening).rejects.toMatchObject({ code: 'database-misconfigured' });
    await expect(opening).rejects.toThrow(/ENCODING 'UTF8'.*ALTER ROLE ".*" REPLICATION/);
    await latin.drop();
    await fresh.sql(`DROP ROLE "${latin.name}"`);
  });

  it('is told when its slot name belongs to another database', async () => {
    const other = await freshDatabase(postgres);
    await (await open()).close();
    await expect(open({ connectionString: other.url })).rejects.toMatchObject({
      code: 'database-misconfigured',
      message: expect.stringContaining(fresh.name),
    });
    await other.drop();
  });

  it.each([
    ['a wrong password', (url: string) => url.replace(/:[^:@/]+@/, ':wrong@'), 'database-misconfigured'],
    ['an absent database', (url: string) => `${url}_absent`, 'database-misconfigured'],
    ['nobody at the port', (url: string) => url.replace(/:\d+\//, ':1/'), 'database-unavailable'],
  ])('is reported as such: %s', async (_, change, code) => {
    await expect(open({ connectionString: change(fresh.url) })).rejects.toMatchObject({ code });
  });

  it.each([0, 1025, 1.5])('refuses %s partitions', async (partitionCount) => {
    await expect(open({ partitionCount })).rejects.toMatchObject({ code: 'database-misconfigured' });
  });

  it('warns of settings that may lose data or fill the disk', async () => {
    const risky = await startPostgres({ settings: { max_slot_wal_keep_size: '-1', fsync: 'off' } });
    const database = await open({ connectionString: risky.url });
    expect(database.warnings).toEqual([
      expect.stringContaining('max_slot_wal_keep_size'),
      expect.stringContaining('fsync'),
    ]);
    await database.close();
    await risky.stop();
  });
});

describe('the clock', () => {
  it("follows the database's clock, not this process's", async () => {
    const database = await open();
    const offsetNow = async (): Promise<number> => {
      const before = database.clock.nowMs();
      const [row] = await fresh.sql('SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now');
      expect(Number(row?.['now'])).toBeGreaterThan(before - 50);
      return database.clock.nowMs() - Number(row?.['now']);
    };
    expect(await offsetNow()).toBeLessThan(200);
    await database.clock.calibrate();
    expect(await offsetNow()).toBeLessThan(200);
    await database.close();
  });
});

async function endConnections(): Promise<void> {
  await fresh.sql(
    'SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
}

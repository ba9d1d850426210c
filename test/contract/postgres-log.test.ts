/** The contract of sink and feed on a log in Postgres, and what only such a log owes: to its database and its readers. */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { openLink } from '@isthmus/local/link-proxy';
import { LogConnection } from '@isthmus/replication/adapters/postgres-log/log-connection';
import { readerRole } from '@isthmus/replication/adapters/postgres-log/reader-role';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { FeedSubscription } from '@isthmus/replication/ports/change-feed';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  changeSinkFeedContract,
  fromBeginning,
  noise,
  numberOf,
  partitionCount,
  publishSoon,
  readRecords,
  recordOf,
} from './change-sink-feed.contract.ts';
import { query } from './fresh-database.ts';
import { PostgresLogBench, readerPassword } from './postgres-log.bench.ts';
import { SocketCount } from './socket-count.ts';

changeSinkFeedContract('postgres-log', () => PostgresLogBench.open());

const soon = { timeout: 20_000, interval: 20 };
/** Does this on a connection of its own and leaves it open; the code with which the server ends it. */
async function endOf(connectionString: string, text: string): Promise<string> {
  const client = new Client({ connectionString });
  const ended = new Promise<string>((resolve) => {
    client.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
  });
  await client.connect();
  const asked = client.query(text).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === '57P01') return '57P01';
    throw error;
  });
  const answer = await Promise.race([ended, asked]);
  return answer === '57P01' ? answer : ended;
}

/** Brings the answers of a server on this machine so slowly. */
async function slowLink(serverPort: number, bytesPerSecond: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ port: serverPort, host: '127.0.0.1' });
    for (const socket of [near, far]) sockets.add(socket.on('error', () => socket.destroy()));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.on('data', (bytes) => {
      near.write(bytes);
      far.pause();
      setTimeout(() => far.resume(), (bytes.length / bytesPerSecond) * 1000);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : expect.fail('a port');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { port, close };
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

describe('the log in Postgres', () => {
  let bench: PostgresLogBench;
  let region: RegionId;
  let sink: ChangeSink;
  const open: FeedSubscription[] = [];
  beforeAll(async () => {
    bench = await PostgresLogBench.openScratch();
  }, 60_000);
  beforeEach(async () => {
    region = await bench.newRegion();
    sink = bench.sinkOf(region);
    await sink.prepare(partitionCount);
    return async () => {
      await Promise.all(open.splice(0).map((subscription) => subscription.close()));
      await sink.close();
    };
  });
  afterAll(() => bench.close());

  function subscribe(connectionString = bench.readerUrl(region)): FeedSubscription {
    const subscription = bench.feedOf(region, { connectionString }).subscribe(region, fromBeginning());
    open.push(subscription);
    return subscription;
  }

  test('its reader may read the log and do nothing else', async () => {
    await bench.sql(region, 'CREATE TABLE other AS SELECT 1 AS n');
    await sink.publish([recordOf(1)]);
    const reader = bench.readerUrl(region);
    for (const table of ['log_record_0', 'log_topic', 'log_segment'])
      expect(await query(reader, `SELECT count(*)::int AS n FROM isthmus.${table}`)).toHaveLength(1);
    for (const refused of [
      'SELECT FROM isthmus.record',
      'SELECT FROM isthmus.identity',
      'SELECT FROM isthmus.peer_progress',
      'SELECT FROM public.other',
      'DELETE FROM isthmus.log_record_0',
      'TRUNCATE isthmus.log_record_0',
      "UPDATE isthmus.log_topic SET next_offset = 0 WHERE name = 'changes'",
      "INSERT INTO isthmus.log_segment VALUES (1, 'changes', 0)",
      'CREATE TABLE isthmus.mine (n int)',
      "SELECT pg_logical_emit_message(true, 'isthmus.changes', 'x')",
      'CREATE ROLE another',
    ])
      await expect(query(reader, `BEGIN READ WRITE; ${refused}`), refused).rejects.toThrow(
        /permission denied/,
      );
  });

  test('its reader has nothing of what Postgres gives to everybody, and reads on', async () => {
    const reader = bench.readerUrl(region);
    for (const refused of [
      'CREATE TEMPORARY TABLE mine (n int)',
      'SELECT 1 AS n INTO TEMPORARY mine',
      'CREATE TABLE public.mine (n int)',
      'SELECT pg_advisory_lock(1769174632, 3)',
      'SELECT pg_advisory_xact_lock(1769174632, 1)',
      'SELECT pg_try_advisory_lock_shared(1)',
      'SELECT lo_create(0)',
      'SELECT lo_creat(-1)',
      "SELECT lo_from_bytea(0, 'x')",
      'SELECT pg_terminate_backend(1)',
      'SELECT pg_current_xact_id()',
      'SET temp_file_limit = -1',
      'ALTER ROLE CURRENT_USER SET temp_file_limit = -1',
    ])
      await expect(query(reader, `BEGIN READ WRITE; ${refused}`), refused).rejects.toThrow(
        /permission denied/,
      );
    expect(bench.leftOver).toEqual([]);
    const subscription = subscribe();
    await sink.publish([recordOf(1)]);
    expect((await readRecords(subscription, 1))[1]?.map(numberOf)).toEqual([1]);
  });

  test('other roles of the database keep what they had', async () => {
    const other = await bench.newRegion();
    const app = await bench.newRole(other, 'NOSUPERUSER');
    const preparing = bench.sinkOf(other);
    await preparing.prepare(partitionCount);
    await preparing.close();
    await query(app, 'CREATE TEMPORARY TABLE mine AS SELECT pg_try_advisory_lock(1), lo_create(0)');
  });

  test('I8: a reader that is not content with reading is ended, and the others read on', async () => {
    const bounds = { intervalMs: 50, transactionMs: 1000, silentMs: 3000 };
    const watching = bench.sinkOf(region, { readerBounds: bounds });
    const free = `SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0`;
    await bench.sql(
      region,
      `GRANT EXECUTE ON FUNCTION pg_advisory_lock(integer, integer) TO "${readerRole(region)}"`,
    );
    const subscription = subscribe();
    const ends = await Promise.all([
      endOf(
        bench.readerUrl(region),
        `${free}; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM isthmus.log_topic`,
      ),
      endOf(bench.readerUrl(region), `${free}; SELECT pg_sleep(600)`),
      endOf(bench.readerUrl(region), `${free}; SELECT pg_advisory_lock(1769174632, 3)`),
      endOf(bench.readerUrl(region), free),
      endOf(bench.readerUrl(region).replace(/[^/]*$/, 'postgres'), free),
    ]);
    expect(ends).toEqual(ends.map(() => '57P01'));
    await watching.publish([recordOf(1)]);
    expect((await readRecords(subscription, 1))[1]?.map(numberOf)).toEqual([1]);
    expect(subscription.connected).toBe(true);
    await watching.close();
  });

  test('where our role owns the database and is no superuser, it takes what it can and says the rest', async () => {
    const other = await bench.newRegion();
    const own = await bench.newRole(other, 'REPLICATION CREATEROLE');
    await ownAll(other, own);
    const bounds = { intervalMs: 50, transactionMs: 1000, silentMs: 60_000 };
    const limited = bench.sinkOf(other, { connectionString: own, readerBounds: bounds });
    const said = bench.leftOver.length;
    await limited.prepare(partitionCount);
    expect(bench.leftOver.slice(said)).toEqual([
      [expect.stringMatching(/^call .*lo_create.*pg_advisory_lock/), 'fill the disk with temporary files'],
    ]);
    const reader = bench.readerUrl(other);
    await expect(query(reader, 'BEGIN READ WRITE; CREATE TEMPORARY TABLE mine (n int)')).rejects.toThrow(
      /permission denied/,
    );
    expect(await endOf(reader, 'SELECT pg_advisory_lock(1769174632, 3)')).toBe('57P01');
    await limited.close();
  });

  async function ownAll(of: RegionId, url: string): Promise<void> {
    const { username } = new URL(url);
    const [own] = await bench.sql(of, 'SELECT current_database() AS name');
    await bench.sql(
      of,
      `DO $$ DECLARE t record; BEGIN
        ALTER DATABASE ${String(own?.['name'])} OWNER TO "${username}";
        ALTER SCHEMA isthmus OWNER TO "${username}";
        FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'isthmus' LOOP
          EXECUTE format('ALTER TABLE isthmus.%I OWNER TO "${username}"', t.tablename); END LOOP;
        ALTER FUNCTION isthmus.read_log OWNER TO "${username}"; ALTER FUNCTION isthmus.log_edges OWNER TO "${username}";
      END $$`,
    );
  }

  test('I8: readers cannot use up the connections of the database', async () => {
    const held: Client[] = [];
    const reader = async () => {
      const client = new Client({ connectionString: bench.readerUrl(region) });
      client.on('error', () => undefined);
      await client.connect();
      held.push(client);
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, reader));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(held.length).toBeLessThanOrEqual(40);
    expect(refused.length).toBe(50 - held.length);
    await sink.publish([recordOf(1)]);
    await Promise.all(held.map((client) => client.end()));
  });

  test('a password that changes is the role’s from the next start on, and no statement holds it', async () => {
    const url = new URL(bench.readerUrl(region));
    const next = bench.sinkOf(region, { readerPassword: 'another-password' });
    await next.prepare(partitionCount);
    await next.close();
    await expect(query(url.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    url.password = 'another-password';
    expect(await query(url.href, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
    const [role] = await bench.sql(region, 'SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
      readerRole(region),
    ]);
    expect(role?.['rolpassword']).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  test('a role of ours that may not make roles is told what to do; one that somebody made is given its rights', async () => {
    const other = await bench.newRegion();
    const [own] = await bench.sql(other, 'SELECT current_database() AS name');
    const name = String(own?.['name']);
    const role = readerRole(other);
    await bench.sql(other, `CREATE ROLE "${name}" LOGIN REPLICATION PASSWORD 'p'`);
    await bench.sql(other, `GRANT CREATE ON DATABASE ${name} TO "${name}"`);
    await bench.sql(
      other,
      `DO $$ DECLARE t record; BEGIN
        ALTER SCHEMA isthmus OWNER TO "${name}";
        FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'isthmus' LOOP
          EXECUTE format('ALTER TABLE isthmus.%I OWNER TO "${name}"', t.tablename); END LOOP;
        ALTER FUNCTION isthmus.read_log OWNER TO "${name}"; ALTER FUNCTION isthmus.log_edges OWNER TO "${name}";
      END $$`,
    );
    const asOwn = new URL(bench.databaseUrl(other));
    asOwn.username = name;
    asOwn.password = 'p';
    const refused = bench.sinkOf(other, { connectionString: asOwn.href });
    await expect(refused.prepare(partitionCount)).rejects.toMatchObject({
      code: 'database-misconfigured',
      message: expect.stringContaining(`"${role}"`),
    });
    await refused.close();
    await bench.sql(other, `CREATE ROLE "${role}" LOGIN PASSWORD '${readerPassword.replaceAll("'", "''")}'`);
    const granted = bench.sinkOf(other, { connectionString: asOwn.href, readerPassword: null });
    const said = bench.leftOver.length;
    await granted.prepare(partitionCount);
    expect(bench.leftOver.slice(said)).toEqual([
      [
        'make temporary tables',
        expect.stringMatching(/^call /),
        'fill the disk with temporary files',
        'hold transactions open, because our role may not end its sessions',
      ],
    ]);
    await granted.publish([recordOf(1)]);
    const subscription = bench.feedOf(other).subscribe(other, fromBeginning());
    expect((await readRecords(subscription, 1))[1]?.map(numberOf)).toEqual([1]);
    await Promise.all([subscription.close(), granted.close()]);
  });

  test('I8: a link that hangs is left and taken up again, and no append waits for it', async () => {
    const link = await openLink({ origin: 'here', target: 'there', baseDelayMs: 20 });
    link.leadLogTo({ host: '127.0.0.1', port: bench.postgres.port });
    const url = new URL(bench.readerUrl(region));
    url.port = String(link.log.port);
    const subscription = subscribe(url.href);
    await sink.publish([recordOf(0)]);
    await readRecords(subscription, 1);
    link.set({ state: 'hang' });
    const hungAtMs = performance.now();
    await vi.waitFor(() => expect(subscription.connected).toBe(false), soon);
    expect(performance.now() - hungAtMs).toBeLessThan(bench.silenceNoticedMs);
    for (let number = 1; number <= 20; number++) await sink.publish([recordOf(number * partitionCount)]);
    link.set({ state: 'ok' });
    const [records] = await readRecords(subscription, 20);
    expect(records?.map(numberOf)).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 4));
    expect(subscription.connected).toBe(true);
    await subscription.close();
    await link.close();
  }, 60_000);

  test('a server gives up an answer that takes too long to cross, and less is asked for at once then', async () => {
    const role = readerRole(region);
    await bench.sql(region, `ALTER ROLE "${role}" SET statement_timeout = '1s'`);
    const link = await slowLink(bench.postgres.port, 500 * kibibyte);
    const url = new URL(bench.readerUrl(region));
    url.port = String(link.port);
    const connection = new LogConnection({ connectionString: url.href, stallTimeoutMs: 5_000 });
    await connection.connect();
    await expect(
      connection.copy("SELECT repeat('x', 1000000) FROM generate_series(1, 10)"),
    ).rejects.toMatchObject({ message: expect.stringContaining('statement timeout') });
    connection.destroy();
    await link.close();
    // What the two ends of a connection on one machine hold between them is more than an answer.
    const types = 'text, bigint[], bigint, integer, integer, integer';
    await bench.sql(
      region,
      `ALTER FUNCTION isthmus.read_log(${types}) RENAME TO read_all;
      CREATE FUNCTION isthmus.read_log(name text, wanted bigint[], place bigint, most integer, wait integer, pause integer)
        RETURNS TABLE (kind smallint, log_offset bigint, partition smallint, compressed boolean, bytes bytea)
        LANGUAGE plpgsql AS $$ BEGIN
        IF most > 100000 THEN RAISE SQLSTATE '57014' USING MESSAGE = 'it took too long'; END IF;
        RETURN QUERY SELECT * FROM isthmus.read_all(name, wanted, place, most, wait, pause);
      END $$;
      GRANT EXECUTE ON FUNCTION isthmus.read_log(${types}), isthmus.read_all(${types}) TO "${role}"`,
    );
    const subscription = subscribe();
    for (let number = 0; number < 8; number++) await sink.publish([recordOf(number)]);
    await readRecords(subscription, 8);
  }, 60_000);

  test('two relays at once leave no offset out and pass over no late committer', async () => {
    const late = new Client({ connectionString: bench.databaseUrl(region) });
    await late.connect();
    const subscription = subscribe();
    await late.query('BEGIN');
    await late.query(`WITH topic AS (
      UPDATE isthmus.log_topic SET next_offset = next_offset + 1 WHERE name = 'changes'
      RETURNING next_offset - 1 AS first, segment)
    INSERT INTO isthmus.log_record SELECT first, segment, 0, false, 'record 0' FROM topic`);
    const second = bench.sinkOf(region);
    const publishing = [1, 2, 3].map((number) => second.publish([recordOf(number * partitionCount)]));
    await vi.waitFor(
      async () =>
        expect(
          await bench.sql(
            region,
            "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
          ),
        ).not.toHaveLength(0),
      soon,
    );
    await late.query('COMMIT');
    await Promise.all([...publishing, sink.publish([recordOf(16)])]);
    const [records] = await readRecords(subscription, 5);
    expect(records?.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n]);
    expect(records?.map(numberOf)[0]).toBe(0);
    expect(records?.map(numberOf).toSorted((a, b) => a - b)).toEqual([0, 4, 8, 12, 16]);
    await Promise.all([late.end(), second.close()]);
  });

  test('the log of another region is not read', async () => {
    const other = await bench.newRegion();
    const otherSink = bench.sinkOf(other);
    await otherSink.prepare(partitionCount);
    await otherSink.publish([recordOf(1)]);
    const told = bench.causes.length;
    const subscription = subscribe(bench.readerUrl(other));
    await vi.waitFor(
      () =>
        expect(bench.causes.slice(told).join()).toContain(`the log of region ${other} and not of ${region}`),
      soon,
    );
    expect(subscription.connected).toBe(false);
    await otherSink.close();
  });

  test('large records cross the link compressed, and no record crosses it as text', async () => {
    const text = Array.from(
      { length: 20_000 },
      (_, number) => `{"key":"things/${number}","number":${number}}`,
    ).join();
    const random = noise(512 * kibibyte);
    const count = new SocketCount();
    const subscription = subscribe();
    await vi.waitFor(() => expect(subscription.connected).toBe(true), soon);
    count.close();
    await sink.publish([{ partition: 0, bytes: Buffer.from(text) }]);
    await readRecords(subscription, 1);
    const afterText = count.bytesRead;
    expect(afterText).toBeLessThan(text.length / 3);
    await sink.publish([{ partition: 0, bytes: random }]);
    await readRecords(subscription, 1);
    expect(count.bytesRead - afterText).toBeLessThan(random.length * 1.05);
  });

  test('I12: it keeps its limits while it is written and read, and a reader in the oldest segment holds up nobody', async () => {
    const keepBytes = 4 * mebibyte;
    const small = bench.sinkOf(region, { retention: { keepMs: 3_600_000, keepBytes } });
    const subscription = subscribe();
    let written = 0;
    let read = 0;
    const writeOn = async (bytes: number): Promise<void> => {
      await small.publish([{ partition: written++ % partitionCount, bytes: noise(bytes) }]);
      read += (await subscription.next())?.records.length ?? 0;
    };
    const first = () => firstOffset(region);
    const stuck = new Client({ connectionString: bench.readerUrl(region) });
    await stuck.connect();
    await stuck.query('BEGIN');
    await stuck.query('SELECT count(*) FROM isthmus.log_record_0');
    const others: Promise<unknown>[] = [];
    await vi.waitFor(async () => {
      await writeOn(256 * kibibyte);
      others.push(query(bench.readerUrl(region), 'SELECT count(*) FROM isthmus.log_record_0'));
      expect(bench.warnings).toContainEqual(expect.stringContaining('was not emptied'));
    }, soon);
    expect(await heldBytes(region, 0)).toBeGreaterThan(0);
    await Promise.all(others);
    await stuck.query('COMMIT');
    await stuck.end();
    await vi.waitFor(async () => {
      // Only an append begins a turn.
      await writeOn(kibibyte);
      expect(await first()).toBeGreaterThan(0);
      expect(await logBytes(region)).toBeLessThan(keepBytes + mebibyte);
      expect(await heldBytes(region)).toBe(await logBytes(region));
    }, soon);
    while (read < written) read += (await subscription.next())?.records.length ?? 0;
    expect(read).toBe(written);
    await small.close();
  }, 90_000);

  test('I12: it keeps its limits while peers on slow links read by turns, so that there is always one', async () => {
    const keepBytes = 4 * mebibyte;
    const small = bench.sinkOf(region, { retention: { keepMs: 3_600_000, keepBytes } });
    const end = new AbortController();
    /** Each of its answers takes a second to cross. */
    const readSlowly = async (): Promise<void> => {
      const client = new Client({ connectionString: bench.readerUrl(region) });
      await client.connect();
      for (let place = '0'; !end.signal.aborted; ) {
        await client.query('BEGIN');
        const { rows } = await client.query<{ at: string }>(
          "SELECT log_offset::text AS at FROM isthmus.read_log('changes', '{0,0,0,0}', $1, 1000, 100, 10) WHERE kind > 0",
          [place],
        );
        place = rows[0]?.at ?? place;
        await delay(1_000);
        await client.query('COMMIT');
      }
      await client.end();
    };
    const reading: Promise<void>[] = [];
    for (let readers = 0; readers < 4; readers++) {
      reading.push(readSlowly());
      await delay(250);
    }
    for (let number = 0; number < 400; number++) {
      await small.publish([{ partition: number % partitionCount, bytes: noise(64 * kibibyte) }]);
      await delay(20);
    }
    // Of 25 MiB: what may be kept, and what has been let go of and is read to its end.
    expect(await heldBytes(region)).toBeLessThan(keepBytes + 8 * mebibyte);
    end.abort();
    await Promise.all([...reading, small.close()]);
  }, 90_000);

  test('I12: an answer without an end is left', async () => {
    const connection = new LogConnection({
      connectionString: bench.readerUrl(region),
      stallTimeoutMs: 5_000,
    });
    await connection.connect();
    await expect(
      connection.copy("SELECT repeat('x', 1000000) FROM generate_series(1, 100)"),
    ).rejects.toMatchObject({
      code: 'log-unavailable',
      message: expect.stringContaining('an answer of more'),
    });
    connection.destroy();
  });

  test('a database that is not the one we knew is not appended to', async () => {
    await bench.sql(region, 'UPDATE isthmus.identity SET incarnation_counter = 2');
    const stranger = bench.sinkOf(region);
    await expect(stranger.publish([recordOf(1)])).rejects.toMatchObject({
      code: 'identity-mismatch',
      retriable: false,
    });
    await stranger.close();
  });

  test('a record that was torn out of the middle is told and passed over', async () => {
    await publishSoon(
      sink,
      Array.from({ length: 12 }, (_, number) => recordOf(number)),
    );
    await bench.sql(
      region,
      'DELETE FROM isthmus.log_record WHERE segment = 0 AND log_offset BETWEEN 4 AND 6',
    );
    const told = bench.warnings.length;
    const partitions = await readRecords(subscribe(), 9);
    expect(partitions.map((records) => records.map(numberOf))).toEqual([
      [0, 8],
      [1, 9],
      [2, 10],
      [3, 7, 11],
    ]);
    expect(bench.warnings.slice(told)).toContainEqual(expect.stringContaining('nothing can lie'));
  });

  async function firstOffset(of: RegionId): Promise<number> {
    const [row] = await bench.sql(
      of,
      "SELECT min(first_offset)::int AS first FROM isthmus.log_segment WHERE topic = 'changes'",
    );
    return Number(row?.['first']);
  }

  /** Of all segments of changes, or of one, in use or not. */
  async function heldBytes(of: RegionId, segment?: number): Promise<number> {
    const [row] = await bench.sql(
      of,
      `SELECT sum(pg_total_relation_size(format('isthmus.log_record_%s', segment)::regclass))::int AS bytes
      FROM generate_series(${segment ?? 0}, ${segment ?? 15}) AS segment
      WHERE pg_relation_size(format('isthmus.log_record_%s', segment)::regclass) > 0
        OR segment IN (SELECT ours.segment FROM isthmus.log_segment AS ours)`,
    );
    return Number(row?.['bytes'] ?? 0);
  }

  async function logBytes(of: RegionId): Promise<number> {
    const [row] = await bench.sql(
      of,
      `SELECT sum(pg_total_relation_size(format('isthmus.log_record_%s', segment)::regclass))::int AS bytes
      FROM isthmus.log_segment WHERE topic = 'changes'`,
    );
    return Number(row?.['bytes']);
  }
});

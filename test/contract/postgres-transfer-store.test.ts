/**
 * The contract of `TransferStore` on a real Postgres, and what only a database with real snapshots can get wrong: a
 * commit that is in the log and not yet visible, and a barrier that moves while records are merged.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from 'pg';
import { insertBeat } from '@isthmus/replication/adapters/postgres/beat-hold';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { Session } from '@isthmus/replication/adapters/postgres/session';
import { parseLsn } from '@isthmus/replication/adapters/postgres/wal-message';
import { beginning } from '@isthmus/replication/ports/record-reader';
import { maxStatementBytes } from '@isthmus/replication/transaction-limits';
import { until } from '../until.ts';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { append, bytes, record, region, text } from './record-store.contract.ts';
import { transferJobsContract } from './transfer-jobs.contract.ts';
import { transferRaisingContract } from './transfer-raising.contract.ts';
import { transferStoreContract } from './transfer-store.contract.ts';
import { verificationStoreContract } from './verification-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

function open(fresh: FreshDatabase): Promise<Database> {
  return openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [region('us')],
    slotName: fresh.slotName,
  });
}

const contracts = [
  transferStoreContract,
  transferRaisingContract,
  transferJobsContract,
  verificationStoreContract,
];
for (const contract of contracts)
  contract('postgres', async () => {
    const fresh = await freshDatabase(postgres);
    const database = await open(fresh);
    return {
      ...database,
      close: async () => {
        await database.close();
        await fresh.drop();
      },
    };
  });

describe('the Postgres transfer store', () => {
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

  it('reads large states a few at a time, also of several collections, and small ones at once (I12)', async () => {
    const [small, large] = ['x'.repeat(1000), 'x'.repeat(1_000_000)];
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'].flatMap((key) => [record(key), record(key, 'other')]);
    for (const [index, id] of ids.entries())
      await database.records.commitLocal(append([id], index % 3 === 0 ? small : large));
    const sent = vi.spyOn(Session.prototype, 'pipeline');
    const states = await database.transfers.states([...ids, record('none')]);
    expect(states.map(({ length }) => length)).toEqual([
      ...ids.map((_, index) => (index % 3 === 0 ? small : large).length),
      0,
    ]);
    const answers = await Promise.all(
      sent.mock.results.map(({ value }): ReturnType<Session['pipeline']> => value),
    );
    sent.mockRestore();
    const sizes = answers.map((answer) =>
      answer
        .flatMap(({ rows }) => rows.flat())
        .reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 0), 0),
    );
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxStatementBytes);
    expect(sizes).toHaveLength(3);
  });

  it('a snapshot is closed without a word where its connection is gone, known by then or not', async () => {
    const snapshot = await database.transfers.openSnapshot();
    const { rows } = await rival.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
    );
    const [{ pid } = expect.fail('it has a session')] = rows;
    // So that the end of the session meets the end of the transaction on its way.
    process.kill(pid, 'SIGSTOP');
    const closing = snapshot.close();
    await rival.query('SELECT pg_terminate_backend($1)', [pid]);
    process.kill(pid, 'SIGCONT');
    await closing;
    const known = await database.transfers.openSnapshot();
    await rival.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND state = 'idle in transaction'`);
    await expect(known.ranges(beginning)).rejects.toMatchObject({ code: 'database-unavailable' });
    await known.close();
  });

  const waitsForLock = async (): Promise<boolean> => {
    const waiting = await fresh.sql(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return waiting.length > 0;
  };

  const insertLsn = async (): Promise<bigint> => {
    const [row] = await fresh.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    return parseLsn(String(row?.['lsn']));
  };

  /** A beat as the holder writes it, without waiting for a standby that does not come. */
  const beat = async (): Promise<bigint> => {
    const lsn = await insertLsn();
    const client = new Client({ connectionString: fresh.url });
    await client.connect();
    await client.query("SET synchronous_commit = 'local'");
    const kept = `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`;
    await client.query("SELECT set_config('isthmus.beat_lsn', $1, false)", [kept]);
    await client.query(insertBeat.text, [null, null, null]);
    await client.end();
    return lsn;
  };

  it('promises no commit that is in the log and not yet visible (P6)', async () => {
    await beat();
    await rival.query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await rival.query('SELECT pg_reload_conf()');
    await until('commits wait for a standby', 10_000, async () => {
      const [row] = await fresh.sql('SHOW synchronous_standby_names');
      return row?.['synchronous_standby_names'] === 'nobody';
    });
    const before = await insertLsn();
    const committing = rival.query(
      "SET synchronous_commit = 'on'; INSERT INTO isthmus.record VALUES ('orders', 'hidden', 'x', 1)",
    );
    await until('the commit is flushed and waits', 10_000, async () => {
      const waiting = await fresh.sql("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
      return waiting.length > 0;
    });
    try {
      const after = await beat();
      const snapshot = await database.transfers.openSnapshot();
      expect(after > before).toBe(true);
      expect((await snapshot.states([record('hidden', 'orders')])).map(text)).toEqual(['']);
      expect((snapshot.standing.beat?.lsn ?? 0n) <= before).toBe(true);
      await snapshot.close();
    } finally {
      // Else every commit of the tests after this one would wait.
      const reset = new Client({ connectionString: fresh.url });
      await reset.connect();
      await reset.query('ALTER SYSTEM RESET synchronous_standby_names');
      await reset.query('SELECT pg_reload_conf()');
      await committing;
      await reset.end();
    }
    const later = await beat();
    const visible = await database.transfers.openSnapshot();
    expect((await visible.states([record('hidden', 'orders')])).map(text)).toEqual(['x']);
    expect(visible.standing.beat?.lsn).toBe(later);
    await visible.close();
  });

  it('keeps to an older beat while a writing transaction is open', async () => {
    const first = await beat();
    await rival.query('BEGIN; SELECT pg_current_xact_id()');
    await beat();
    expect((await database.transfers.standing()).beat?.lsn).toBe(first);
    await rival.query('COMMIT');
    const last = await beat();
    expect((await database.transfers.standing()).beat?.lsn).toBe(last);
  });

  it('reads the horizon after the records are locked, because barriers move meanwhile (P6)', async () => {
    await database.records.commitLocal(append([record('a')], '1'));
    await rival.query('BEGIN');
    await rival.query('SELECT FROM isthmus.record FOR UPDATE');
    const job = await database.jobs.want({
      donor: region('us'),
      origin: region('us'),
      cause: 'gap',
      isDryRun: false,
    });
    let horizon: unknown = null;
    const merging = database.transfers.merge({
      job,
      ids: [record('a')],
      decide: (locked) => {
        ({ horizon } = locked);
        return null;
      },
    });
    await until('the merge waits for the record', 5000, waitsForLock);
    await rival.query("INSERT INTO isthmus.horizon VALUES ('us', 1, 7, 0, '0/9')");
    await rival.query('COMMIT');
    expect(await merging).toBe(false);
    expect(horizon).toEqual([{ region: 'us', incarnation: { counter: 1, nonce: 7 }, partition: 0, lsn: 9n }]);
  });

  it('emits nothing, so nothing is published again (P6)', async () => {
    const emitted = async (): Promise<number> => {
      const rows = await fresh.sql(
        `SELECT FROM pg_logical_slot_peek_binary_changes('${fresh.slotName}', NULL, NULL,
          'proto_version', '1', 'publication_names', 'isthmus_relay', 'messages', 'true')
        WHERE position('isthmus.changes'::bytea IN data) > 0`,
      );
      return rows.length;
    };
    const job = await database.jobs.want({
      donor: region('us'),
      origin: region('us'),
      cause: 'gap',
      isDryRun: false,
    });
    const decide = () => ({ writes: [{ index: 0, state: bytes('merged') }], refused: [] });
    await database.transfers.merge({ job, ids: [record('a')], decide });
    await database.transfers.raise({
      region: region('eu'),
      given: [],
      whole: [],
      beats: [],
      floorMs: 0,
      job,
      vector: [],
      partitionOf: () => 0,
      decide: () => [],
    });
    expect(await emitted()).toBe(0);
    await database.records.commitLocal(append([record('a')], 'x'));
    expect(await emitted()).toBe(1);
  });

  it('counts no sweep of a version that knew no numbers (0068)', async () => {
    await fresh.sql(
      "INSERT INTO isthmus.verification (peer, through_ms, diverged, swept_at_ms) VALUES ('us', 5, false, 6)",
    );
    const swept = { peer: 'us', throughMs: 5, diverged: false, sweptAtMs: 6 };
    expect(await database.verifications.all()).toEqual([{ ...swept, cleanSweep: null, isWanted: false }]);
    expect(Object.fromEntries(await database.verifications.want([region('us')]))).toEqual({ us: 1 });
  });

  it('ends a snapshot that nobody reads, and its reader is told', async () => {
    const snapshot = await database.transfers.openSnapshot();
    await fresh.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'",
    );
    await expect(snapshot.ranges(beginning)).rejects.toMatchObject({ code: 'database-unavailable' });
    await snapshot.close();
    expect(await database.transfers.ranges(beginning)).toEqual([]);
  });

  it('makes a lost slot anew, and notes where the new one begins', async () => {
    expect(await database.slots.life()).toMatchObject({ number: 1 });
    await database.records.commitLocal(append([record('a')], 'lost'));
    const lostUpTo = await insertLsn();
    await fresh.sql(`SELECT pg_drop_replication_slot('${fresh.slotName}')`);
    const life = await database.slots.renew('dropped');
    expect(life.number).toBe(2);
    expect(life.from >= lostUpTo).toBe(true);
    expect(await database.slots.renew('again')).toEqual(life);
    const slots = await fresh.sql(
      'SELECT failover FROM pg_replication_slots WHERE database = current_database()',
    );
    expect(slots).toEqual([{ failover: true }]);
  });
});

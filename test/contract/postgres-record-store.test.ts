/**
 * The contract of `RecordStore` on a real Postgres, and what only this adapter promises: what it emits, that no
 * placeholder survives, what it says when the database goes away, and that it comes back by itself.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Client } from 'pg';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database } from '@isthmus/replication/adapters/postgres/open-database';
import { decodeChanges } from '@isthmus/replication/adapters/postgres/wal-message';
import type { FreshDatabase } from './fresh-database.ts';
import { freshDatabase } from './fresh-database.ts';
import { until } from '../until.ts';
import { startCuttingProxy } from './record-store-proxy.ts';
import { recordPositionsContract } from './record-positions.contract.ts';
import { append, bytes, record, recordStoreContract, region, text } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

/** Is struck. */
let postgres: Postgres;
let scratch: ScratchPostgres;
beforeAll(async () => {
  [postgres, scratch] = await Promise.all([startPostgres(), startScratchPostgres()]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), scratch.stop()]);
});

function open(fresh: FreshDatabase, url = fresh.url): Promise<Database> {
  return openDatabase({
    connectionString: url,
    region: region('eu'),
    peers: [region('us')],
    slotName: fresh.slotName,
    trustsRestarts: true,
  });
}

for (const contract of [recordStoreContract, recordPositionsContract])
  contract('postgres', async () => {
    const fresh = await freshDatabase(scratch);
    // Nothing in the contract may lock in an order that can end in a deadlock, so none is looked for.
    await fresh.sql(`ALTER DATABASE ${fresh.name} SET deadlock_timeout = '1h'`);
    const database = await open(fresh);
    return {
      store: database.records,
      close: async () => {
        await database.close();
        await fresh.drop();
      },
    };
  });

describe('the Postgres record store', () => {
  let fresh: FreshDatabase;
  let database: Database;
  beforeEach(async () => {
    fresh = await freshDatabase(postgres);
    database = await open(fresh);
  });
  afterEach(async () => {
    await database.close();
    await fresh.drop();
  });

  const rows = (): Promise<readonly unknown[]> => fresh.sql('SELECT key FROM isthmus.record ORDER BY key');

  it('emits the changes of a commit as one message in the order of the decision', async () => {
    const ids = [record('b'), record('a'), record('c')];
    await database.records.commitLocal({
      ids,
      decide: () => [2, 0].map((index) => ({ index, state: bytes('s'), delta: bytes(`d${index}`) })),
    });
    await database.records.commitLocal({ ids, decide: () => [] });
    const messages = await emitted(fresh);
    expect(messages.map((message) => decodeChanges(message))).toEqual([
      [
        { ...record('c'), delta: Uint8Array.from(bytes('d2')) },
        { ...record('b'), delta: Uint8Array.from(bytes('d0')) },
      ],
    ]);
  });

  it('says an end at or beyond that of the commit', async () => {
    const committed = await database.records.commitLocal(append([record('a')], 'x'));
    const [last] = await fresh.sql(
      `SELECT max(lsn)::text AS lsn FROM pg_logical_slot_peek_binary_changes('${fresh.slotName}', NULL, NULL,
        'proto_version', '1', 'publication_names', 'isthmus_relay', 'messages', 'true')`,
    );
    const [ahead] = await fresh.sql('SELECT $1::pg_lsn <= $2::pg_lsn AS ahead', [
      last?.['lsn'],
      hex(committed?.end ?? 0n),
    ]);
    expect(ahead).toEqual({ ahead: true });
  });

  it('leaves no placeholder in the table, whatever becomes of the transaction', async () => {
    const ids = [record('a'), record('b')];
    await database.records.commitLocal({ ids, decide: () => [] });
    const throwing = database.records.commitLocal({
      ids,
      decide: () => {
        throw new TypeError('no');
      },
    });
    await expect(throwing).rejects.toThrow('no');
    await database.records.commitLocal({
      ids,
      decide: () => [{ index: 1, state: bytes('x'), delta: bytes('x') }],
    });
    expect(await rows()).toEqual([{ key: 'b' }]);
  });

  it('repeats a transaction that a deadlock struck', async () => {
    await database.records.commitLocal(append([record('a'), record('b')], '1'));
    const rival = new Client({ connectionString: fresh.url });
    await rival.connect();
    const lock = (key: string): Promise<unknown> =>
      rival.query('SELECT FROM isthmus.record WHERE key = $1 FOR UPDATE', [key]);
    await rival.query('BEGIN; SET LOCAL deadlock_timeout = 30000');
    await lock('b');
    const committing = database.records.commitLocal(append([record('a'), record('b')], '2'));
    await until('somebody waits for a lock', 5_000, () => waitsForLock(fresh));
    await lock('a');
    await rival.query('COMMIT');
    await committing;
    await rival.end();
    expect(text(await database.records.read(record('a')))).toBe('12');
  });

  it('reads floor and generation after the locks are granted (P3)', async () => {
    await database.records.commitLocal(append([record('a')], '1'));
    const rival = new Client({ connectionString: fresh.url });
    await rival.connect();
    await rival.query('BEGIN');
    await rival.query('SELECT FROM isthmus.record FOR UPDATE');
    await rival.query('UPDATE isthmus.identity SET floor = 9, generation = 4');
    let floor = -1;
    const committing = database.records.commitLocal({
      ids: [record('a')],
      decide: (locked) => {
        floor = locked.floor;
        return [{ index: 0, state: bytes('2'), delta: bytes('2') }];
      },
    });
    await until('somebody waits for a lock', 5_000, () => waitsForLock(fresh));
    await rival.query('COMMIT');
    await committing;
    await rival.end();
    expect(floor).toBe(9);
    expect(await fresh.sql('SELECT gen::int FROM isthmus.record')).toEqual([{ gen: 4 }]);
  });

  it('does not know the outcome where the connection is cut after the COMMIT was sent', async () => {
    const proxy = await startCuttingProxy(postgres.port);
    const behind = await open(fresh, proxy.url(fresh.url));
    await behind.records.commitLocal(append([record('a')], '1'));
    proxy.cutAnswersAfter('isthmus_commit\0');
    await expect(behind.records.commitLocal(append([record('a')], '2'))).rejects.toMatchObject({
      code: 'outcome-unknown',
      retriable: false,
    });
    await expect.poll(async () => text(await database.records.read(record('a')))).toBe('12');
    proxy.heal();
    await behind.records.commitLocal(append([record('a')], '3'));
    expect(text(await behind.records.read(record('a')))).toBe('123');
    await behind.close();
    await proxy.close();
  });

  it('knows that nothing happened where the connection is cut before the COMMIT', async () => {
    const proxy = await startCuttingProxy(postgres.port);
    const behind = await open(fresh, proxy.url(fresh.url));
    await behind.records.commitLocal(append([record('a')], '1'));
    proxy.cutAnswersAfter('isthmus_begin\0');
    await expect(behind.records.commitLocal(append([record('a')], '2'))).rejects.toMatchObject({
      code: 'database-unavailable',
      retriable: true,
    });
    proxy.heal();
    expect(text(await behind.records.read(record('a')))).toBe('1');
    await behind.close();
    await proxy.close();
  });

  it('rejects an apply that may have been committed as one to try again, which is then fenced', async () => {
    const proxy = await startCuttingProxy(postgres.port);
    const behind = await open(fresh, proxy.url(fresh.url));
    const origin = region('us');
    const place = { incarnation: { counter: 1, nonce: 7 }, partition: 0, beat: null };
    await behind.records.createPosition({ origin, ...place, applied: 1n, settled: 1n, nextOffset: 0n });
    const batch = {
      origin,
      positions: [{ ...place, expected: 1n, applied: 2n, nextOffset: 1n }],
      ids: [record('a')],
      decide: () => ({ writes: [{ index: 0, state: bytes('x') }], deadLetters: [] }),
    };
    proxy.cutAnswersAfter('isthmus_commit\0');
    await expect(behind.records.applyRemote(batch)).rejects.toMatchObject({
      code: 'database-unavailable',
      retriable: true,
    });
    proxy.heal();
    expect(await behind.records.applyRemote(batch)).toBe('fenced');
    await behind.close();
    await proxy.close();
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'rejects at once while Postgres is down (%s), and works again afterwards as it is',
    async (signal) => {
      await database.records.commitLocal(append([record('a')], '1'));
      await postgres.kill(signal);
      await until('Postgres is down', 10_000, () => !postgres.isRunning());
      for (let attempt = 0; attempt < 5; attempt++) {
        const startedMs = performance.now();
        await expect(database.records.commitLocal(append([record('a')], 'lost'))).rejects.toMatchObject({
          code: 'database-unavailable',
          retriable: true,
        });
        await expect(database.records.read(record('a'))).rejects.toMatchObject({
          code: 'database-unavailable',
        });
        expect(performance.now() - startedMs).toBeLessThan(500);
      }
      await postgres.restart();
      await database.records.commitLocal(append([record('a')], '2'));
      expect(text(await database.records.read(record('a')))).toBe('12');
    },
  );

  it('answers every call of a crash in the middle of the work, and counts no acknowledged write twice or never', async () => {
    let acknowledged = 0;
    let unknown = 0;
    const write = async (): Promise<void> => {
      try {
        await database.records.commitLocal(append([record('a')], '.'));
        acknowledged += 1;
      } catch (error) {
        expect(error).toMatchObject({ name: 'ReplicationError' });
        if (error instanceof Error && 'code' in error && error.code === 'outcome-unknown') unknown += 1;
      }
    };
    const storm = async (): Promise<void> => {
      while (postgres.isRunning()) await write();
    };
    const storms = [storm(), storm(), storm(), storm()];
    await until('100 writes are acknowledged', 10_000, () => acknowledged > 100);
    await postgres.kill('SIGKILL');
    await Promise.all(storms);
    await postgres.restart();
    const stored = text(await database.records.read(record('a')))?.length ?? 0;
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
    expect(stored).toBeLessThanOrEqual(acknowledged + unknown);
  });

  it('gives up on a server that has fallen silent, and never asks on that connection again', async () => {
    await database.records.commitLocal(append([record('a')], '1'));
    const [row] = await fresh.sql(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'isthmus'",
    );
    process.kill(Number(row?.['pid']), 'SIGSTOP');
    const startedMs = performance.now();
    const reading = database.records.read(record('a'));
    await expect(reading).rejects.toMatchObject({ code: 'database-unavailable', retriable: true });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(text(await database.records.read(record('a')))).toBe('1');
    process.kill(Number(row?.['pid']), 'SIGCONT');
  }, 20_000);

  it('says that it is overloaded where every connection stays in use', async () => {
    const narrow = await openDatabase({
      connectionString: fresh.url,
      region: region('eu'),
      peers: [],
      slotName: fresh.slotName,
      maxConnections: 1,
    });
    const hold = await narrow.beats.tryHold();
    await expect(narrow.records.read(record('a'))).rejects.toMatchObject({
      code: 'overloaded',
      retriable: true,
    });
    await hold?.release();
    expect(await narrow.records.read(record('a'))).toBeNull();
    await narrow.close();
  });

  it('refuses calls after it was closed', async () => {
    await database.close();
    await expect(database.records.read(record('a'))).rejects.toMatchObject({ code: 'closed' });
  });
});

async function waitsForLock(fresh: FreshDatabase): Promise<boolean> {
  const waiting = await fresh.sql(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return waiting.length > 0;
}

/**
 * Contents of our change messages in the slot: a message starts with M, flags, an LSN and a prefix. One that is not part of its
 * transaction is there whatever becomes of that, and no relay takes it.
 */
async function emitted(fresh: FreshDatabase): Promise<readonly Buffer[]> {
  const found = await fresh.sql(
    `SELECT data FROM pg_logical_slot_peek_binary_changes('${fresh.slotName}', NULL, NULL,
      'proto_version', '1', 'publication_names', 'isthmus_relay', 'messages', 'true')`,
  );
  const prefix = 'isthmus.changes\0';
  const transactional = 1;
  return found
    .map((row) => row['data'])
    .filter((data) => Buffer.isBuffer(data))
    .filter((data) => data.toString('latin1', 0, 1) === 'M' && data[1] === transactional)
    .filter((data) => data.includes(prefix))
    .map((data) => data.subarray(data.indexOf(prefix) + prefix.length + 4));
}

function hex(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`;
}

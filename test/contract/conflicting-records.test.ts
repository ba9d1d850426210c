/** Records in conflict on every store, and on Postgres those that an earlier version of the program wrote. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client } from 'pg';
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferStore } from '@isthmus/replication/adapters/memory/transfer-store';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { ReplicationError } from '@isthmus/replication/errors';
import { MarkPass } from '@isthmus/replication/mark-pass';
import type { Logger } from '@isthmus/replication/ports/logger';
import { beginning } from '@isthmus/replication/ports/record-reader';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import { until } from '../until.ts';
import { calm, conflicting, conflictingRecordsContract, listed } from './conflicting-records.contract.ts';
import { freshDatabase } from './fresh-database.ts';
import type { FreshDatabase } from './fresh-database.ts';
import { region } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

function openMemory() {
  const database = new MemoryDatabase({ nowMs: () => 0 });
  const records = new MemoryRecordStore(database);
  const jobs = new MemoryTransferJobs(database);
  const parts = {
    beats: new MemoryBeatStore(database, records, []),
    slots: new MemorySlotKeeper(database),
    jobs,
  };
  return {
    records,
    letters: records.deadLetters,
    transfers: new MemoryTransferStore({ database, records, ...parts }),
    jobs,
    close: () => Promise.resolve(),
  };
}

async function openPostgres() {
  const fresh = await freshDatabase(postgres);
  const database = await openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers: [region('us')],
    slotName: fresh.slotName,
    trustsRestarts: true,
  });
  const { records, deadLetters: letters, transfers, jobs } = database;
  const close = async () => {
    await database.close();
    await fresh.drop();
  };
  return { fresh, records, letters, transfers, jobs, close };
}

conflictingRecordsContract('memory', () => Promise.resolve(openMemory()));
conflictingRecordsContract('postgres', openPostgres);

/** Rows as a version without marks left them. */
async function fillOld(fresh: FreshDatabase, count: number, state: Uint8Array): Promise<void> {
  await fresh.sql(
    `INSERT INTO isthmus.record (collection, key, state, gen)
    SELECT 'orders', 'k' || to_char(n, 'FM000000'), $2, 1 FROM generate_series(1, $1::int) AS n`,
    [count, Buffer.from(state)],
  );
}

const unknown = 'SELECT count(*)::int AS count FROM isthmus.record WHERE conflicting IS NULL';

it('lists records of an earlier version until a pass has looked at them', async () => {
  const { fresh, records, close } = await openPostgres();
  try {
    await fillOld(fresh, 250, calm);
    await fresh.sql(`UPDATE isthmus.record SET state = $1 WHERE key = 'k000077'`, [Buffer.from(conflicting)]);
    expect(await listed(records, 1000)).toHaveLength(250);
    const pass = new MarkPass({ records, timer: systemTimer, logger: silent });
    pass.start();
    await until('all are looked at', 20_000, async () => (await fresh.sql(unknown))[0]?.['count'] === 0);
    await pass.stop();
    expect(await listed(records, 1000)).toEqual(['k000077']);
  } finally {
    await close();
  }
});

it('looks at a bounded number at once, and passes over rows that are locked', async () => {
  const { fresh, records, close } = await openPostgres();
  const rival = new Client({ connectionString: fresh.url });
  try {
    await fillOld(fresh, 250, calm);
    await rival.connect();
    await rival.query('BEGIN');
    await rival.query("SELECT FROM isthmus.record WHERE key = 'k000001' FOR UPDATE");
    expect(await records.examine(beginning)).toEqual({ collection: 'orders', key: 'k000101' });
    expect((await fresh.sql(unknown))[0]?.['count']).toBe(150);
    const last = { collection: 'orders', key: 'k000250' };
    expect(await records.examine({ collection: 'orders', key: 'k000200' })).toEqual(last);
    expect((await listed(records, 1000))[0]).toBe('k000001');
  } finally {
    await rival.end();
    await close();
  }
});

it('goes on after a turn that failed, and rests at the end', async () => {
  const timer = new ManualTimer();
  const asked: string[] = [];
  const places = [{ collection: 'orders', key: 'a' }, null];
  let isDown = true;
  const examine: RecordStore['examine'] = async (after) => {
    asked.push(after.key);
    if (isDown) throw new ReplicationError('database-unavailable', 'away', { retriable: true });
    return places.shift() ?? null;
  };
  const pass = new MarkPass({ records: { examine }, timer, logger: silent });
  pass.start();
  await timer.advance(0);
  isDown = false;
  await timer.advance(10_000);
  expect(asked).toEqual(['', '', 'a']);
  await pass.stop();
});

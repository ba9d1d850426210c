/**
 * The relay over a log in the very database that it reads: what it appends is write-ahead log again, and must not come
 * back to it. Both the log and the write-ahead log stand still once nobody writes.
 */
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { PostgresChangeSource } from '@isthmus/replication/adapters/postgres/change-source';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { PostgresLogSink } from '@isthmus/replication/adapters/postgres-log/change-sink';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import { Relay } from '@isthmus/replication/relay/relay';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase } from '../contract/fresh-database.ts';
import type { FreshDatabase } from '../contract/fresh-database.ts';
import { until } from '../until.ts';
import { type ScratchPostgres, startScratchPostgres } from '../contract/scratch-postgres.ts';

const partitionCount = 8;
const beats = 5;
const stillMs = 1_500;
const deadlineMs = 20_000;
const silence = (): void => undefined;
const logger: Logger = { debug: silence, info: silence, warn: silence, error: silence };

let postgres: ScratchPostgres;
let fresh: FreshDatabase;
beforeAll(async () => {
  postgres = await startScratchPostgres();
  fresh = await freshDatabase(postgres);
});
afterAll(async () => {
  await fresh.drop();
  await postgres.stop();
});

test('its own appends do not come back to the relay, and an idle region stands still', async () => {
  const region = parseRegionId('eu') ?? expect.fail('eu is a region');
  const { url: connectionString, slotName } = fresh;
  const database = await openDatabase({ connectionString, region, peers: [], slotName, partitionCount });
  const { identity } = database;
  const sink = new PostgresLogSink({
    trustsRestarts: true,
    region,
    connectionString,
    incarnation: identity.incarnation,
    readerPassword: null,
    logger,
  });
  const source = new PostgresChangeSource({ connectionString, slot: slotName });
  let publishes = 0;
  const onPublished = (): void => void publishes++;
  const relay = new Relay({
    identity,
    source,
    sink,
    beats: database.beats,
    slots: database.slots,
    timer: systemTimer,
    paceMs: () => 0,
    logger,
    onSlotLost: () => undefined,
    onPublished,
  });
  relay.start();
  const hold = await until('the beats are held', deadlineMs, () => database.beats.tryHold());
  await until('the relay is live', deadlineMs, () => relay.state === 'live');
  const before = publishes;
  for (let beat = 1; beat <= beats; beat++) {
    await hold.beat();
    await until('the beat is published', deadlineMs, () => publishes === before + beat);
  }
  await hold.release();
  await still('the log', async () => (await logEnd()) ?? '');
  await still('the write-ahead log', async () => {
    const [row] = await fresh.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    return String(row?.['lsn']);
  });
  expect(publishes).toBe(before + beats);
  expect(await logEnd()).toBe(String((1 + beats) * partitionCount));
  expect(await fresh.sql("SELECT FROM pg_publication_tables WHERE pubname = 'isthmus_relay'")).toEqual([]);
  await relay.close();
  await sink.close();
  await database.close();
}, 90_000);

async function logEnd(): Promise<string | null> {
  const [row] = await fresh.sql(
    "SELECT next_offset::text AS at FROM isthmus.log_topic WHERE name = 'changes'",
  );
  return row === undefined ? null : String(row['at']);
}

/** Resolves once the same was seen for a while. */
async function still(what: string, look: () => Promise<string>): Promise<void> {
  let seen = await look();
  let sinceMs = performance.now();
  await until(`${what} stands still`, deadlineMs, async () => {
    const now = await look();
    if (now !== seen) [seen, sinceMs] = [now, performance.now()];
    return performance.now() - sinceMs > stillMs;
  });
}

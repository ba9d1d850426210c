/** The own log read back where it lies in Postgres: from a time, from its end, and the newest progress. */
import { PostgresOwnLog } from '@isthmus/replication/adapters/postgres-log/own-log';
import { assert } from '@isthmus/replication/errors';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { numberOf, partitionCount, readRecords, recordOf } from './change-sink-feed.contract.ts';
import { PostgresLogBench } from './postgres-log.bench.ts';

const silence = (): void => undefined;
const logger: Logger = { debug: silence, info: silence, warn: silence, error: silence };

let bench: PostgresLogBench;
let region: RegionId;
let sink: ChangeSink;
let log: PostgresOwnLog;
beforeAll(async () => {
  bench = await PostgresLogBench.open();
}, 60_000);
beforeEach(async () => {
  region = await bench.newRegion();
  sink = bench.sinkOf(region);
  log = new PostgresOwnLog({ region, connectionString: bench.databaseUrl(region), logger });
  return () => sink.close();
});
afterAll(() => bench.close());

async function databaseTimeMs(): Promise<number> {
  const [row] = await bench.sql(region, 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms');
  return Number(row?.['ms']);
}

test('everything since a time is read, from all partitions, and at least the last record of each', async () => {
  await sink.prepare(partitionCount);
  await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
  const sinceMs = await databaseTimeMs();
  await sink.publish([40, 41, 44].map((number) => recordOf(number)));
  const spans = await log.spans(partitionCount, sinceMs);
  const subscription = log.subscribe(spans.map(({ first }) => first));
  const partitions = await readRecords(subscription, 5);
  expect(partitions.map((records) => records.map(numberOf))).toEqual([[40, 44], [41], [38], [39]]);
  expect(spans.map(({ end }) => end)).toEqual(
    partitions.map((records) => (records.at(-1)?.offset ?? 0n) + 1n),
  );
  await subscription.close();
});

test('without a time all that is held is read, across segments; a time before it reads the same', async () => {
  await sink.prepare(partitionCount);
  await sink.publish(Array.from({ length: 8 }, (_, number) => recordOf(number)));
  await bench.forget(region);
  expect(await log.spans(partitionCount, null)).toEqual(
    Array.from({ length: partitionCount }, () => ({ first: 0n, end: 0n })),
  );
  await sink.publish([recordOf(8), recordOf(12)]);
  const all = await log.spans(partitionCount, null);
  expect(all[0]).toEqual({ first: 8n, end: 10n });
  expect(await log.spans(partitionCount, 0)).toEqual(all);
});

test('its tail is what comes from now on in the first partition alone', async () => {
  await sink.prepare(partitionCount);
  await sink.publish([recordOf(0), recordOf(1)]);
  const tail = log.tail(partitionCount);
  await vi.waitFor(() => expect(tail.connected).toBe(true), { timeout: 20_000, interval: 20 });
  await sink.publish([recordOf(5), recordOf(4)]);
  await sink.publish([recordOf(9), recordOf(8)]);
  const batches = [await tail.next(), await tail.next()];
  expect(batches.map((batch) => batch?.partition)).toEqual([0, 0]);
  expect(batches.flatMap((batch) => batch?.records.map(numberOf))).toEqual([4, 8]);
  await tail.close();
});

test('the newest progress is the last that was told; none is none, and no log is no answer', async () => {
  await expect(log.newestProgress()).rejects.toMatchObject({ code: 'log-unavailable', retriable: true });
  await expect(log.spans(partitionCount, null)).rejects.toMatchObject({ code: 'log-unavailable' });
  await sink.prepare(partitionCount);
  expect(await log.newestProgress()).toBeNull();
  await sink.publishProgress(recordOf(1).bytes);
  await sink.publishProgress(recordOf(2).bytes);
  const newest = await log.newestProgress();
  assert(newest !== null, 'progress was told');
  expect(Buffer.from(newest).toString()).toBe('record 2');
});

/** A region whose peers keep their logs in different places reads each of them where it is. */
import { FeedByRegion } from '@isthmus/replication/adapters/feed-by-region';
import { expect, test, vi } from 'vitest';
import { KafkaBench } from './change-sink-feed.bench.ts';
import {
  fromBeginning,
  numberOf,
  partitionCount,
  readRecords,
  recordOf,
} from './change-sink-feed.contract.ts';
import { PostgresLogBench } from './postgres-log.bench.ts';

test('a peer with Kafka and a peer with its log in Postgres are read side by side, changes and progress', async () => {
  const benches = await Promise.all([KafkaBench.open(), PostgresLogBench.open()]);
  const [kafka, postgres] = benches;
  await postgres.newRegion();
  const peers = [
    { bench: kafka, region: await kafka.newRegion() },
    { bench: postgres, region: await postgres.newRegion() },
  ];
  const feed = new FeedByRegion(new Map(peers.map(({ bench, region }) => [region, bench.feedOf(region)])));
  for (const [index, { bench, region }] of peers.entries()) {
    const sink = bench.sinkOf(region);
    await sink.prepare(partitionCount);
    const [changes, progress] = [feed.subscribe(region, fromBeginning()), feed.subscribeProgress(region)];
    await vi.waitFor(() => expect(progress.connected).toBe(true), { timeout: 20_000, interval: 20 });
    await sink.publish([recordOf(4 + index * 4)]);
    await sink.publishProgress(recordOf(100 + index).bytes);
    expect((await readRecords(changes, 1))[0]?.map(numberOf)).toEqual([4 + index * 4]);
    expect((await readRecords(progress, 1))[0]?.map(numberOf)).toEqual([100 + index]);
    await Promise.all([changes.close(), progress.close(), sink.close()]);
  }
  await Promise.all(benches.map((bench) => bench.close()));
}, 120_000);

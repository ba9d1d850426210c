/** The contract of control logs over Kafka, over a log in Postgres, and in memory. */
import { KafkaControlLog } from '@isthmus/replication/adapters/kafka/control-log';
import { KafkaOwnLog } from '@isthmus/replication/adapters/kafka/own-log';
import { MemoryChangeSink } from '@isthmus/replication/adapters/memory/change-sink';
import { MemoryControlLog } from '@isthmus/replication/adapters/memory/control-log';
import { MemoryLog } from '@isthmus/replication/adapters/memory/log';
import { MemoryOwnLog } from '@isthmus/replication/adapters/memory/own-log';
import { PostgresControlLog } from '@isthmus/replication/adapters/postgres-log/control-log';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test, vi } from 'vitest';
import { KafkaBench } from './change-sink-feed.bench.ts';
import { partitionCount } from './change-sink-feed.contract.ts';
import { controlLogContract } from './control-log.contract.ts';
import { PostgresLogBench } from './postgres-log.bench.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const recovery = { timeout: 40_000, interval: 50 };

controlLogContract('memory', async () => {
  const log = new MemoryLog();
  await new MemoryChangeSink(log).prepare(partitionCount);
  const region = parseRegionId('eu') ?? expect.fail('eu is a region');
  return {
    open: () => new MemoryControlLog(log),
    claims: () => new MemoryOwnLog({ region, log, logger: quiet }).claims(),
    close: async () => {},
  };
});

controlLogContract('kafka', async () => {
  const bench = await KafkaBench.open();
  const region = await bench.newRegion();
  const sink = bench.sinkOf(region);
  await vi.waitFor(() => sink.prepare(partitionCount), recovery);
  await sink.close();
  return {
    open: () => new KafkaControlLog({ region, cluster: bench.cluster, logger: quiet }),
    claims: () => new KafkaOwnLog({ region, cluster: bench.cluster, logger: quiet }).claims(),
    close: () => bench.close(),
  };
});

controlLogContract('postgres-log', async () => {
  const bench = await PostgresLogBench.open();
  const region = await bench.newRegion();
  const sink = bench.sinkOf(region);
  await vi.waitFor(() => sink.prepare(partitionCount), recovery);
  await sink.close();
  const connectionString = bench.databaseUrl(region);
  const incarnation = { counter: 1, nonce: 1 };
  return {
    open: () => new PostgresControlLog({ region, connectionString, incarnation }),
    claims: () => null,
    close: () => bench.close(),
  };
});

test('a claim is taken by a database whose log was never made, and the sink makes the rest of it (P9)', async () => {
  const bench = await PostgresLogBench.open();
  const region = await bench.newRegion();
  const connectionString = bench.databaseUrl(region);
  const log = new PostgresControlLog({ region, connectionString, incarnation: { counter: 1, nonce: 1 } });
  expect(await log.read()).toEqual([]);
  await log.append(Buffer.from('claim'));
  const sink = bench.sinkOf(region);
  await vi.waitFor(() => sink.prepare(partitionCount), recovery);
  expect((await log.read()).map((bytes) => Buffer.from(bytes).toString())).toEqual(['claim']);
  await sink.close();
  await log.close();
  await bench.close();
}, 60_000);

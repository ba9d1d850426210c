/**
 * The fence of P4 where it matters: an apply transaction that was sent before another process took over, and reaches
 * the positions after it. A lock on their table holds the transaction up at its first statement; its backend is then
 * stopped there, so that the other process passes it. A process that is stopped as a whole is the second test.
 */
import { startCluster } from '@isthmus/local/cluster';
import type { Cluster } from '@isthmus/local/cluster';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { query } from '../contract/fresh-database.ts';
import { until } from '../until.ts';
import { RegionClient } from './region-client.ts';
import { endAtOnce } from './use-cluster.ts';
import { converged, expectNothingLost } from './verdict.ts';
import { Workload } from './workload.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
const takeovers = 3;

let cluster: Cluster;

beforeAll(async () => {
  // It is the same with either log, and this one is there sooner.
  cluster = await startCluster({ regions: ['eu', 'us'], log: 'postgres' });
}, 150_000);

afterAll(async () => {
  await endAtOnce(cluster);
}, 30_000);

test(`a transaction that another applier has overtaken is fenced (P4), seed ${seed}`, async () => {
  const { database, origin, active, standby, workload } = await site(seed);
  workload.start();
  await until('changes arrive', 20_000, () => arrives(origin, active.client));
  const lock = new Client({ connectionString: database });
  await lock.connect();
  let overtaken = 0;
  try {
    await lock.query('BEGIN; LOCK TABLE isthmus.position IN SHARE MODE');
    await until('an apply transaction waits for the positions', 10_000, async () => {
      overtaken = await waitingBackend(database);
      return overtaken > 0;
    });
    process.kill(overtaken, 'SIGSTOP');
    await lock.query('ROLLBACK');
    await query(database, endReplicators);
    await until('the other process has taken over', 20_000, () => arrives(origin, standby.client));
  } finally {
    if (overtaken > 0) process.kill(overtaken, 'SIGCONT');
    await lock.end();
  }
  await until('it was fenced', 10_000, async () => (await fenced(active.client)) > 0);
  const history = await workload.stop();
  await converged([origin, active.client, standby.client], 'products', 30_000);
  await expectNothingLost([origin, active.client, standby.client], workload.prefix, history);
}, 120_000);

test(`a process that was stopped while another took over does no harm when it wakes, seed ${seed}`, async () => {
  const { origin, workload, ...pair } = await site(seed + 1);
  let { active, standby } = pair;
  workload.start();
  for (let takeover = 0; takeover < takeovers; takeover++) {
    await until('changes arrive', 20_000, () => arrives(origin, standby.client));
    await active.process.kill('SIGSTOP');
    await until('the other process has taken over', 30_000, () => arrives(origin, standby.client));
    await active.process.kill('SIGCONT');
    await until('the stopped process answers again', 10_000, () => active.client.isReady());
    [active, standby] = [standby, active];
  }
  const history = await workload.stop();
  await converged([origin, active.client, standby.client], 'products', 30_000);
  await expectNothingLost([origin, active.client, standby.client], workload.prefix, history);
}, 180_000);

/** Ends the sessions that hold the replicator's lock: their process gives up its role, and another takes it. */
const endReplicators = `SELECT pg_terminate_backend(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND classid = x'69737468'::int AND objid = 3`;

/** With a standby that ends with the test, and leaves its role to the process that is there for all of them. */
async function site(from: number) {
  const [eu, us] = cluster.regions;
  if (eu === undefined || us === undefined) return expect.fail('two regions run');
  const origin = new RegionClient({ region: 'eu', ...eu.process });
  const active = { process: us.process, client: new RegionClient({ region: 'us', ...us.process }) };
  await until('the process that stays has its role', 20_000, () => arrives(origin, active.client));
  const another = await us.startAnother();
  onTestFinished(() => another.stop());
  const standby = { process: another, client: new RegionClient({ region: 'us', ...another }) };
  const workload = new Workload({ regions: [origin], writersPerRegion: 8, seed: from });
  return { database: us.postgres.url, origin, active, standby, workload };
}

/** 0 where no apply transaction waits for a lock. */
async function waitingBackend(database: string): Promise<number> {
  const [row] = await query(
    database,
    `SELECT pid FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '%UPDATE isthmus.position SET applied%'`,
  );
  return Number(row?.['pid'] ?? 0);
}

let marks = 0;

/** A record written now at the origin is soon seen at the target. */
async function arrives(origin: RegionClient, target: RegionClient): Promise<boolean> {
  const key = `mark-${marks++}`;
  await origin.put('profiles', key, { name: key });
  await until(`${key} has arrived`, 15_000, async () => (await target.get('profiles', key)).status === 200);
  return true;
}

async function fenced(client: RegionClient): Promise<number> {
  const samples = [...(await client.metrics()).matchAll(/^isthmus_fenced_total\{[^}]*\} (\d+)/gm)];
  return samples.reduce((sum, match) => sum + Number(match[1]), 0);
}

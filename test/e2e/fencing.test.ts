import { startCluster } from '@isthmus/local/cluster';
import type { Cluster } from '@isthmus/local/cluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { RegionClient } from './region-client.ts';
import { converged, expectNothingLost } from './verdict.ts';
import { Workload } from './workload.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
const maxStops = 30;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ regions: ['eu', 'us'] });
}, 150_000);

afterAll(async () => {
  await cluster.stop();
}, 30_000);

test('an applier that was stopped while another took over is fenced when it wakes (P4)', async () => {
  const [eu, us] = cluster.regions;
  if (eu === undefined || us === undefined) return expect.fail('two regions run');
  const first = us.process;
  const second = await us.startAnother();
  const origin = new RegionClient({ region: 'eu', ...eu.process });
  const sleeper = new RegionClient({ region: 'us', ...first });
  const standby = new RegionClient({ region: 'us', ...second });
  const workload = new Workload({ regions: [origin], writersPerRegion: 16, seed });
  workload.start();
  let [active, idle] = [
    { process: first, client: sleeper },
    { process: second, client: standby },
  ];
  for (let stop = 0; (await fenced([sleeper, standby])) === 0; stop++) {
    expect(stop, 'stops until a stale applier was fenced').toBeLessThan(maxStops);
    await until('changes arrive', 20_000, () => arrives(origin, idle.client));
    await active.process.kill('SIGSTOP');
    await until('the other process has taken over', 30_000, () => arrives(origin, idle.client));
    await active.process.kill('SIGCONT');
    await until('the stopped process answers again', 10_000, () => active.client.isReady());
    [active, idle] = [idle, active];
  }
  const history = await workload.stop();
  await converged([origin, sleeper, standby], 'products', 30_000);
  await expectNothingLost([origin, sleeper, standby], workload.prefix, history);
}, 240_000);

let marks = 0;

/** A record written now at the origin is soon seen at the target. */
async function arrives(origin: RegionClient, target: RegionClient): Promise<boolean> {
  const key = `mark-${marks++}`;
  await origin.put('profiles', key, { name: key });
  await until(`${key} has arrived`, 15_000, async () => (await target.get('profiles', key)).status === 200);
  return true;
}

async function fenced(processes: readonly RegionClient[]): Promise<number> {
  const pages = await Promise.all(processes.map((client) => client.metrics()));
  const samples = pages.flatMap((page) => [...page.matchAll(/^isthmus_fenced_total\{[^}]*\} (\d+)/gm)]);
  return samples.reduce((sum, match) => sum + Number(match[1]), 0);
}

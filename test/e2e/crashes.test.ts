import { afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import type { ProcessName } from './demo.ts';
import { logUnderTest } from './log-under-test.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged, expectNothingLost } from './verdict.ts';
import { Workload } from './workload.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
/** Most of what a kill can tear apart is the same whichever the log, and is torn as often as that with Kafka. */
const regionKills = logUnderTest() === 'kafka' ? 20 : 6;

const demo = useDemo();
let regions: readonly RegionClient[];

beforeAll(() => {
  regions = demo.regions;
});

let running: Workload | null = null;

/** What one test left behind must not fail the next. */
afterEach(async () => {
  await running?.stop();
  running = null;
});

test(`region processes killed ${regionKills} times each under load lose and double nothing (I1, I2, I5, I7)`, async () => {
  const workload = start(seed);
  // Each goes its own way: it dies while the other one lives, starts, or is dead as well.
  const killOften = async (region: RegionClient): Promise<void> => {
    for (let kill = 0; kill < regionKills; kill++) {
      const before = workload.acknowledgedIn(region.region);
      await killAndRestart(region, 'region');
      await writesGoOn(workload, region, { beyond: before + 25 });
    }
  };
  await Promise.all(regions.map(killOften));
  await until('more than 1000 writes are acknowledged', 60_000, () => workload.acknowledged > 1000);
  const history = await workload.stop();
  expect(workload.acknowledged).toBeGreaterThan(1000);
  await converged(regions, 'products', 60_000);
  await expectNothingLost(regions, workload.prefix, history);
}, 300_000);

test.each<ProcessName>(logUnderTest() === 'kafka' ? ['postgres', 'kafka'] : ['postgres'])(
  '%s killed under load loses and doubles nothing',
  async (name) => {
    const workload = start(seed + name.length);
    for (const region of regions) {
      const before = workload.acknowledgedIn(region.region);
      await writesGoOn(workload, region, { beyond: before + 200 });
      await killAndRestart(region, name);
      await writesGoOn(workload, region, { beyond: workload.acknowledgedIn(region.region) + 200 });
    }
    const history = await workload.stop();
    await converged(regions, 'products', 90_000);
    await expectNothingLost(regions, workload.prefix, history);
  },
  300_000,
);

test('while Postgres is away writes are refused at once with Retry-After, and served again without a restart', async () => {
  const eu = demo.region('eu');
  await until('links are connected', 30_000, async () => (await eu.peer('us')).link === 'connected');
  await demo.signal('eu', 'postgres', 'SIGKILL');
  const { rpoSeconds, lagSeconds } = await eu.peer('us');
  expect(rpoSeconds ?? Infinity, 'RPO is no older than the figures').toBeLessThan(4);
  expect(lagSeconds ?? Infinity, 'lag is no older than the figures').toBeLessThan(4);
  const startedMs = performance.now();
  const refused = await eu.put('products', 'nowhere', { title: 'x' });
  expect(performance.now() - startedMs).toBeLessThan(2000);
  expect(refused).toMatchObject({ status: 503, body: { code: 'database-unavailable' } });
  expect(refused.retryAfter).toMatch(/^\d+$/);
  await demo.signal('eu', 'postgres', 'start');
  await until(
    'writes are served again',
    20_000,
    async () => (await eu.put('products', 'again', { title: 'y' })).status === 201,
  );
  expect((await eu.get('products', 'nowhere')).status).toBe(404);
}, 60_000);

function start(from: number): Workload {
  // What is killed needs most of the processor to start again, and meets both writes and rests.
  running = new Workload({ regions, writersPerRegion: 3, seed: from, mostRestMs: 40 });
  running.start();
  return running;
}

test('a Postgres that hangs is noticed, callers are refused at once, and it is served again when it goes on', async () => {
  const eu = demo.region('eu');
  await demo.signal('eu', 'postgres', 'SIGSTOP');
  await until('a write is refused at once', 20_000, async () => {
    const startedMs = performance.now();
    const refused = await eu.put('products', 'hung', { title: 'x' });
    const isQuick = performance.now() - startedMs < 200;
    return refused.status === 503 && refused.retryAfter !== null && isQuick;
  });
  await demo.signal('eu', 'postgres', 'SIGCONT');
  await until('writes are served again', 20_000, async () => {
    const { status } = await eu.put('products', 'unhung', { title: 'y' });
    return status === 201 || status === 200;
  });
}, 60_000);

function writesGoOn(
  workload: Workload,
  { region }: RegionClient,
  { beyond }: { readonly beyond: number },
): Promise<unknown> {
  return until(`writes go on in ${region}`, 30_000, () => workload.acknowledgedIn(region) > beyond);
}

async function killAndRestart(region: RegionClient, name: ProcessName): Promise<void> {
  await demo.signal(region.region, name, 'SIGKILL');
  await demo.signal(region.region, name, 'start');
  if (name === 'region') await until(`${region.region} is ready`, 30_000, () => region.isReady());
}

/**
 * A third region that joins when the logs no longer reach back to their beginning, and the tail of a region that dies
 * while one survivor has heard more of it than the other (P6). Membership is configuration here.
 */
import { type ServerCluster, startServers } from '@isthmus/local/cluster';
import { prepareRegionProcess, type RegionProcess } from '@isthmus/local/region-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { forgetChanges } from './log-under-test.ts';
import { RegionClient } from './region-client.ts';
import { converged } from './verdict.ts';

const names = ['eu', 'us', 'ap'] as const;
type Name = (typeof names)[number];

let servers: ServerCluster;
const processes = new Map<Name, RegionProcess>();

beforeAll(async () => {
  servers = await startServers({ regions: names });
}, 150_000);

afterAll(async () => {
  await Promise.all([...processes.values()].map((each) => each.stop()));
  await servers.stop();
}, 60_000);

function serversOf(region: Name) {
  return servers.regions.find((each) => each.region === region) ?? expect.fail(`${region} has servers`);
}

function link(origin: Name, target: Name) {
  return servers.links.find(origin, target) ?? expect.fail(`a link joins ${origin} and ${target}`);
}

/** Starts the region with these peers, in place of its former process. */
async function start(region: Name, peers: readonly Name[]): Promise<RegionClient> {
  await processes.get(region)?.stop();
  const { postgres, brokers } = serversOf(region);
  const prepared = await prepareRegionProcess({
    region,
    database: postgres.url,
    settings: { ISTHMUS_KAFKA_BROKERS: brokers },
    peers: peers.map((peer) => {
      const { host, port } = link(peer, region).log;
      return { region: peer, brokers: `${host}:${port}`, admin: link(region, peer).admin };
    }),
  });
  for (const other of names) if (other !== region) link(other, region).leadAdminTo(prepared.adminAddress);
  const started = await prepared.start();
  processes.set(region, started);
  return new RegionClient({ region, api: started.api, admin: started.admin });
}

const has = (region: RegionClient, key: string) => async (): Promise<boolean> =>
  (await region.get('products', key)).status === 200;

test('a region that joins late is filled by the others, and then follows their logs', async () => {
  const first = [await start('eu', ['us']), await start('us', ['eu'])] as const;
  await first[0].put('products', 'kept', { title: 'kept' });
  await first[0].put('products', 'gone', { title: 'gone' });
  await first[1].patch('products', 'counted', { increment: { likes: 5 } });
  await converged(first, 'products', 20_000);
  await first[1].delete('products', 'gone');
  await first[0].patch('products', 'counted', { increment: { likes: 2 } });
  await converged(first, 'products', 20_000);
  for (const region of ['eu', 'us'] as const) {
    const { postgres, brokers } = serversOf(region);
    await forgetChanges({ region, database: postgres.url, brokers });
  }
  for (const origin of ['eu', 'us'] as const) link(origin, 'ap').set({ state: 'cut' });
  const ap = await start('ap', ['eu', 'us']);
  const unnamed = await ap.put('products', 'kept', { title: 'what nobody would read' });
  expect(unnamed).toMatchObject({ status: 503, body: { code: 'region-joining' } });
  expect(unnamed.body).toHaveProperty('detail', expect.stringContaining('eu, us must be configured'));
  const [eu, us] = [await start('eu', ['us', 'ap']), await start('us', ['eu', 'ap'])];
  await until('both name it', 10_000, async () => {
    const { body } = await ap.put('products', 'kept', { title: 'written over what it has not seen' });
    return !JSON.stringify(body).includes('must be configured');
  });
  const early = await ap.put('products', 'kept', { title: 'written over what it has not seen' });
  expect(early).toMatchObject({ status: 503, body: { code: 'region-joining' }, retryAfter: '2' });
  for (const origin of ['eu', 'us'] as const) link(origin, 'ap').set({ state: 'ok' });
  await until('ap takes its first write', 60_000, async () => {
    const { status } = await ap.put('products', 'first-of-ap', { title: 'x' });
    if (status === 201 || status === 200) return true;
    expect(status).toBe(503);
    return false;
  });
  expect(await has(ap, 'kept')(), 'what peers had is there before the first write').toBe(true);
  await eu.put('products', 'later', { title: 'later' });
  await us.patch('products', 'counted', { increment: { likes: 1 } });
  await converged([eu, us, ap], 'products', 30_000);
  expect((await ap.list('products')).get('counted')).toMatchObject({ likes: 8 });
  await ap.put('products', 'from-ap', { title: 'from-ap' });
  await converged([eu, us, ap], 'products', 30_000);
  await until('no gap is open', 30_000, async () => (await ap.status()).gaps === 0);
  // Who hears of one from the other before it reads that one's log takes what it lacks for a tail.
  await until('the transfer is counted', 10_000, async () => {
    const metrics = await ap.metrics();
    if (/^isthmus_transfers_total\{origin="(?:eu|us)",cause="(?:no-position|tail)"\} 1$/m.test(metrics))
      return true;
    throw new Error(
      metrics
        .split('\n')
        .filter((line) => line.includes('_transfers_total'))
        .join('\n'),
    );
  });
  // Of each other they may have missed the last beats that were forgotten, and of a newcomer that falls silent for a moment
  // one may fetch from the other what it has not heard yet; but there is nothing of it that its log does not hold.
  for (const region of [eu, us]) {
    const causes = (await region.metrics()).matchAll(/^isthmus_transfers_total\{origin="ap",cause="(.*)"/gm);
    expect([...causes].map(([, cause]) => cause).filter((cause) => cause !== 'tail')).toEqual([]);
  }
}, 240_000);

test('the tail of a dead region comes from the survivor that has heard more of it', async () => {
  const [eu, us, ap] = [clientOf('eu'), clientOf('us'), clientOf('ap')];
  link('eu', 'ap').set({ state: 'cut' });
  for (let index = 0; index < 20; index++) await eu.put('products', `tail-${index}`, { title: 'tail' });
  await until('us has the tail', 20_000, has(us, 'tail-19'));
  const { postgres, kafka } = serversOf('eu');
  const dead = processes.get('eu') ?? expect.fail('eu runs');
  await Promise.all([dead.kill('SIGKILL'), postgres.kill('SIGKILL'), kafka?.kill('SIGKILL')]);
  await until('ap has the tail', 60_000, has(ap, 'tail-19'));
  await converged([us, ap], 'products', 30_000);
  await until('the transfer is counted', 20_000, async () =>
    /^isthmus_transfers_total\{origin="eu",cause="tail"\} \d+$/m.test(await ap.metrics()),
  );
}, 180_000);

function clientOf(region: Name): RegionClient {
  const { api, admin } = processes.get(region) ?? expect.fail(`${region} runs`);
  return new RegionClient({ region, api, admin });
}

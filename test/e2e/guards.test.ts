import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, startCluster } from '@isthmus/local/cluster';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { RegionClient } from './region-client.ts';
import { endAtOnce } from './use-cluster.ts';

const fields = { title: { type: 'register' } };
const budgetSeconds = 4;
const refreshMs = 250;
const collections = {
  open: { fields },
  bounded: { fields, guard: { budget: { seconds: budgetSeconds, peers: 1 } } },
  counted: { fields, guard: { budget: { changes: 50 } } },
  home: { fields, guard: { homeRegion: 'eu' } },
};

let folder: string;
let cluster: Cluster;
let eu: RegionClient;
let us: RegionClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-guards-'));
  const file = join(folder, 'collections.json');
  await writeFile(file, JSON.stringify({ collections }));
  // It is the same with either log, and this one is there sooner.
  cluster = await startCluster({ regions: ['eu', 'us'], collections: file, log: 'postgres' });
  const [first, second] = cluster.regions;
  if (first === undefined || second === undefined) return expect.fail('two regions run');
  eu = new RegionClient({ region: 'eu', ...first.process });
  us = new RegionClient({ region: 'us', ...second.process });
}, 150_000);

afterAll(async () => {
  await endAtOnce(cluster);
  await rm(folder, { recursive: true, force: true });
}, 30_000);

function setLinks(state: 'ok' | 'cut'): void {
  for (const link of cluster.links.all) link.set({ state });
}

async function opened(collection: string): Promise<void> {
  await until(`writes to ${collection} pass`, 60_000, async () => {
    const { status } = await eu.put(collection, 'probe', { title: String(performance.now()) });
    return status < 300;
  });
}

test('a home region takes writes, any other names it', async () => {
  expect(await eu.put('home', 'a', { title: 'x' })).toMatchObject({ status: 201 });
  const refused = await us.put('home', 'a', { title: 'x' });
  expect(refused).toMatchObject({ status: 503, body: { code: 'write-guarded' }, retryAfter: '1' });
  expect(refused.body).toMatchObject({
    violations: [{ field: 'collection', rule: 'home-region', limit: 'eu', value: 'us' }],
  });
  await until('reads go on there', 10_000, async () => (await us.get('home', 'a')).status === 200);
  expect((await us.delete('home', 'a')).status).toBe(503);
});

test('a batch is refused whole and names each write at fault', async () => {
  const write = (collection: string, key: string) => {
    return { method: 'put', collection, key, value: { title: 'x' } };
  };
  const refused = await us.batch([write('open', 'b'), write('home', 'b'), write('open', 'c')]);
  expect(refused).toMatchObject({ status: 503, body: { code: 'write-guarded' } });
  expect(refused.body).toMatchObject({ violations: [{ field: 'writes[1].collection', limit: 'eu' }] });
  expect((await us.get('open', 'b')).status).toBe(404);
});

test('a budget refuses within its seconds and one refresh during a cut, and opens after the heal', async () => {
  await opened('bounded');
  setLinks('cut');
  const cutMs = performance.now();
  let accepted = 0;
  let lastAcceptedMs = cutMs;
  const refused = await until('a write is refused', 30_000, async () => {
    const reply = await eu.put('bounded', `w-${accepted}`, { title: 'x' });
    if (reply.status === 503) return reply;
    accepted++;
    lastAcceptedMs = performance.now();
    return null;
  });
  const overshootMs = lastAcceptedMs - cutMs - budgetSeconds * 1000;
  process.stdout.write(
    `${accepted} writes passed after the cut, the last ${Math.round(overshootMs)} ms beyond the budget\n`,
  );
  expect(overshootMs).toBeLessThan(refreshMs + 500);
  expect(refused).toMatchObject({ body: { code: 'write-guarded', violations: [{ rule: 'budget' }] } });
  expect((await eu.put('open', 'goes-on', { title: 'x' })).status).toBe(201);
  expect((await eu.get('bounded', 'probe')).status).toBe(200);
  expect(await eu.isReady()).toBe(true);
  expect(await eu.metrics()).toMatch(/^isthmus_guard_refusals_total\{collection="bounded"\} [1-9]/m);
  setLinks('ok');
  await opened('bounded');
}, 120_000);

test('a budget of changes refuses once so many are not confirmed', async () => {
  await opened('counted');
  // What is not confirmed before the cut counts as well, and the guard knows of it at its next refresh.
  let confirmedMs = Infinity;
  await until('all has been confirmed for two refreshes', 20_000, async () => {
    const isConfirmed = (await eu.peer('us')).rpoChanges === 0;
    confirmedMs = isConfirmed ? Math.min(confirmedMs, performance.now()) : Infinity;
    return performance.now() - confirmedMs > 2 * refreshMs;
  });
  setLinks('cut');
  let accepted = 0;
  await until('a write is refused', 30_000, async () => {
    const { status } = await eu.put('counted', `w-${accepted}`, { title: 'x' });
    if (status === 503) return true;
    accepted++;
    return null;
  });
  process.stdout.write(`${accepted} writes passed after the cut with a budget of 50\n`);
  expect(accepted).toBeGreaterThanOrEqual(50);
  setLinks('ok');
  await opened('counted');
}, 120_000);

import { Client } from 'pg';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;

beforeAll(() => {
  eu = demo.region('eu');
  us = demo.region('us');
});

afterEach(async () => {
  await demo.setLinks('ok');
});

async function connected(): Promise<void> {
  await until('both links are connected', 60_000, async () => {
    const links = [(await eu.peer('us')).link, (await us.peer('eu')).link];
    if (links.every((link) => link === 'connected')) return true;
    throw new Error(links.join(' '));
  });
}

async function quiet(): Promise<void> {
  await connected();
  await until('no incident is open', 60_000, async () => {
    const windows = [...(await eu.incidents('windows')), ...(await us.incidents('windows'))];
    return windows.every(({ endedAt }) => endedAt !== null);
  });
}

test('while the own Postgres is away a link is neither blamed nor called connected, and soon after all is well', async () => {
  await quiet();
  const before = (await eu.incidents('windows')).length;
  await demo.signal('eu', 'postgres', 'SIGKILL');
  const seen = new Set<string>();
  const endMs = performance.now() + 8000;
  await until('Postgres was away for a while', 20_000, async () => {
    seen.add((await eu.peer('us')).link);
    return performance.now() > endMs;
  });
  expect([...seen].filter((link) => link !== 'connected' && link !== 'suspected')).toEqual([]);
  expect((await eu.peer('us')).link).toBe('suspected');
  await demo.signal('eu', 'postgres', 'start');
  await until('beats are young again', 20_000, async () =>
    /^isthmus_beat_age_seconds 0/m.test(await eu.metrics()),
  );
  const startedMs = performance.now();
  await until('connected', 20_000, async () => (await eu.peer('us')).link === 'connected');
  process.stdout.write(
    `connected ${Math.round(performance.now() - startedMs)} ms after the first young beat\n`,
  );
  expect(await eu.incidents('windows')).toHaveLength(before);
}, 120_000);

test('a partition in which both sides write is one incident on each side, whatever dies meanwhile', async () => {
  await eu.put('products', 'shared', { title: 'before' });
  await until('us has it', 10_000, async () => (await us.get('products', 'shared')).status === 200);
  await quiet();
  const before = [(await eu.incidents()).length, (await us.incidents()).length];
  await demo.setLinks('cut');
  for (let index = 0; index < 7; index++) await eu.put('products', `eu-${index}`, { title: 'x' });
  for (let index = 0; index < 4; index++) await us.put('products', `us-${index}`, { title: 'x' });
  await eu.patch('products', 'shared', { set: { title: 'of eu' } });
  await us.patch('products', 'shared', { set: { title: 'of us' } });
  for (const region of [eu, us])
    await until(`${region.region} has an incident`, 30_000, async () => {
      const { incidents, peers } = await region.status();
      return incidents.open === 1 && peers[0]?.link === 'partitioned';
    });
  expect(await eu.metrics()).toMatch(/^isthmus_split_brain\{peer="us"\} 1$/m);
  expect(await eu.metrics()).toMatch(/^isthmus_incident_seconds [1-9]/m);
  expect(await eu.isReady()).toBe(true);
  await restart('eu', 'region');
  await until('the incident is still there', 10_000, async () => (await eu.status()).incidents.open === 1);
  const okMs = performance.now();
  await demo.setLinks('ok');
  await until('us is healing', 30_000, async () => (await us.incidents())[0]?.state === 'healing');
  await restart('us', 'region');
  await until('eu is connected', 30_000, async () => (await eu.peer('us')).link === 'connected');
  process.stdout.write(`connected ${Math.round(performance.now() - okMs)} ms after the heal\n`);
  await converged([eu, us], 'products', 30_000);
  for (const region of [eu, us])
    await until(`${region.region} is reconciled`, 60_000, async () => {
      return (await region.incidents())[0]?.state === 'reconciled';
    });
  const counts = [(await eu.incidents()).length, (await us.incidents()).length];
  expect(counts).toEqual(before.map((count) => count + 1));
  for (const region of [eu, us]) {
    const id = (await region.incidents())[0]?.id ?? '';
    const full = await region.incident(id);
    expect(full).toMatchObject({ splitBrain: true, writes: { eu: 8, us: 5 }, conflictCount: 1 });
    expect(full.conflicts).toEqual([{ collection: 'products', key: 'shared', fields: 1 }]);
    const { products } = full.digests ?? {};
    expect(products?.['eu']).toBe(products?.['us']);
    expect(products?.['eu']).toBe(await region.digest('products'));
    expect(full.durationSeconds).toBeGreaterThan(5);
  }
  expect((await eu.status()).incidents.open).toBe(0);
}, 180_000);

test('a partition in which one side writes nothing is no incident', async () => {
  await quiet();
  const before = (await us.incidents()).length;
  await demo.setLinks('cut');
  await eu.put('products', 'alone', { title: 'x' });
  await until('us says partitioned', 30_000, async () => (await us.peer('eu')).link === 'partitioned');
  expect((await us.status()).incidents.open).toBe(0);
  await demo.setLinks('ok');
  await quiet();
  expect(await us.incidents()).toHaveLength(before);
  const [window] = await us.incidents('windows');
  expect(window).toMatchObject({ splitBrain: false, state: 'reconciled', writes: { eu: 1, us: 0 } });
  expect((await eu.incidents())[0]?.id).not.toBe((await eu.incidents('windows'))[0]?.id);
}, 180_000);

test('a link that flaps has one incident at most, and is not called connected in between', async () => {
  await quiet();
  const before = (await eu.incidents('windows')).length;
  const seen: (string | undefined)[] = [];
  for (let cycle = 0; cycle < 6; cycle++) {
    await demo.setLinks('cut');
    await eu.put('products', `flap-${cycle}`, { title: 'x' });
    await us.put('products', `flop-${cycle}`, { title: 'x' });
    await passing(2000);
    await demo.setLinks('ok');
    await passing(1000);
    seen.push((await eu.peer('us')).link);
  }
  await quiet();
  const windows = await eu.incidents('windows');
  expect(windows.length - before).toBeLessThanOrEqual(1);
  expect(seen.slice(2)).not.toContain('connected');
}, 180_000);

test('changes that arrive and are not applied make the link stalled on both sides', async () => {
  await quiet();
  const database = await lockPositions('us');
  await until('both sides say stalled', 40_000, async () => {
    const links = [(await eu.peer('us')).link, (await us.peer('eu')).link];
    if (links.every((link) => link === 'stalled')) return true;
    throw new Error(links.join(' '));
  });
  expect((await us.peer('eu')).lagSeconds ?? Infinity).toBeGreaterThan(3);
  await database.end();
  await quiet();
}, 120_000);

test('a process that was stopped does not say connected when it wakes', async () => {
  await connected();
  await demo.signal('eu', 'region', 'SIGSTOP');
  await demo.setLinks('cut');
  await until('us has noticed', 30_000, async () => {
    const { link } = await us.peer('eu');
    return link === 'partitioned' || link === 'stalled';
  });
  await demo.signal('eu', 'region', 'SIGCONT');
  for (let look = 0; look < 20; look++) expect((await eu.peer('us')).link).not.toBe('connected');
}, 90_000);

async function restart(region: 'eu' | 'us', name: 'region'): Promise<void> {
  await demo.signal(region, name, 'SIGKILL');
  await demo.signal(region, name, 'start');
  await until(`${region} is ready`, 30_000, () => demo.region(region).isReady());
}

/** Keeps every applier of the region waiting until the connection ends. */
async function lockPositions(name: string): Promise<Client> {
  const region = demo.ready.regions.find((candidate) => candidate.region === name);
  const client = new Client({ connectionString: region?.database ?? '' });
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE isthmus.position IN EXCLUSIVE MODE');
  return client;
}

/** A flap is a stretch of time, so it is waited for by the clock. */
async function passing(ms: number): Promise<void> {
  const endMs = performance.now() + ms;
  await until(`${ms} ms have passed`, ms + 5000, () => performance.now() > endMs);
}

/**
 * Deleted records go away in both regions once barriers have passed them, stay away, and come back where somebody writes
 * them anew; a region that cannot be asked stops that, and says so (P8).
 */
import { beforeAll, expect, test } from 'vitest';
import { query } from '../contract/fresh-database.ts';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
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

const collections = ['products', 'profiles'] as const;
const total = 120;

async function rows(region: string): Promise<number> {
  const [row] = await query(
    demo.serversOf(region).database,
    'SELECT count(*)::int AS rows FROM isthmus.record',
  );
  return Number(row?.['rows']);
}

/** Counted at the end of a collection, a moment after its last row has gone. */
async function dropped(region: RegionClient): Promise<number> {
  const sample = /^isthmus_tombstones_collected_total\{how="dropped"\} (\d+)$/m.exec(await region.metrics());
  return Number(sample?.[1]);
}

test('what was deleted is dropped everywhere, and nothing comes back (I6)', async () => {
  const valueOf = { products: { title: 'x' }, profiles: { name: 'x' } };
  const keys = Array.from({ length: total }, (_, index) => `gone-${index}`);
  for (const collection of collections) {
    const write = (key: string) => ({ method: 'put', collection, key, value: valueOf[collection] });
    expect((await eu.batch(keys.map(write))).status).toBe(200);
    expect((await eu.put(collection, 'kept', valueOf[collection])).status).toBe(201);
    await converged([eu, us], collection, 20_000);
    const half = keys.map((key) => ({ method: 'delete', collection, key }));
    expect((await eu.batch(half.slice(0, total / 2))).status).toBe(200);
    expect((await us.batch(half.slice(total / 2))).status).toBe(200);
  }
  expect(await rows('eu')).toBeGreaterThan(2 * total);
  for (const name of ['eu', 'us'])
    await until(`${name} has dropped all of them`, 120_000, async () => (await rows(name)) === 2);
  for (const collection of collections) await converged([eu, us], collection, 10_000);
  for (const region of [eu, us]) {
    const { tombstones } = await region.status();
    expect(tombstones.count).toBe(0);
    expect(tombstones.completed).toBeGreaterThanOrEqual(2);
    await until('all are counted as dropped', 10_000, async () => (await dropped(region)) >= 2 * total);
  }
}, 240_000);

test('what is created again after that is seen everywhere, and so is its next deletion', async () => {
  for (const [region, other] of [
    [eu, us],
    [us, eu],
  ] as const) {
    const key = `gone-${region.region === 'eu' ? 0 : 1}`;
    expect((await region.put('products', key, { title: 'again' })).status).toBe(201);
    expect((await region.put('profiles', key, { name: 'again' })).status).toBe(201);
    await until('it is there again', 10_000, async () => (await other.get('profiles', key)).status === 200);
    expect((await other.get('products', key)).body).toMatchObject({ value: { title: 'again' } });
    expect((await other.delete('products', key)).status).toBe(204);
    await until('it is gone again', 10_000, async () => (await region.get('products', key)).status === 404);
  }
  for (const collection of collections) await converged([eu, us], collection, 10_000);
}, 60_000);

test('an increment that a delete has not seen is taken before the record is dropped', async () => {
  expect((await eu.put('profiles', 'hiding', { name: 'x' })).status).toBe(201);
  await converged([eu, us], 'profiles', 10_000);
  await demo.setLinks('cut');
  expect((await us.patch('profiles', 'hiding', { increment: { visits: 5 } })).status).toBe(200);
  expect((await eu.delete('profiles', 'hiding')).status).toBe(204);
  await demo.setLinks('ok');
  await converged([eu, us], 'profiles', 30_000);
  const isGone = async (region: string): Promise<boolean> => {
    const { database } = demo.serversOf(region);
    const found = await query(database, "SELECT FROM isthmus.record WHERE key = 'hiding'");
    return found.length === 0;
  };
  for (const name of ['eu', 'us']) await until(`${name} has dropped it`, 150_000, () => isGone(name));
  const counted = [await eu.metrics(), await us.metrics()].join('\n');
  expect(counted).toMatch(/^isthmus_tombstones_collected_total\{how="purged"\} [1-9]/m);
  await converged([eu, us], 'profiles', 10_000);
}, 240_000);

test('a region that is away stops collection, and the other one says for whom it waits', async () => {
  await demo.signal('us', 'region', 'SIGKILL');
  expect((await eu.delete('profiles', 'kept')).status).toBe(204);
  await until('the barrier waits for us', 60_000, async () => {
    const { tombstones } = await eu.status();
    return tombstones.waitingFor?.includes('us') === true && (tombstones.openSeconds ?? 0) > 0;
  });
  expect(await eu.metrics()).toMatch(/^isthmus_barrier_age_seconds (?!0$)\d/m);
  const told = await isthmus(demo.pid, 'status --region eu --json');
  expect(told).toMatchObject({ answer: { regions: [{ tombstones: { waitingFor: ['us'] } }] } });
  await demo.signal('us', 'region', 'start');
  const open = (await eu.status()).tombstones.completed ?? expect.fail('eu knows its barriers');
  await until(
    'the barrier is complete',
    60_000,
    async () => ((await eu.status()).tombstones.completed ?? 0) > open,
  );
}, 180_000);

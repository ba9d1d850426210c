import { afterEach, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged, expectNothingLost } from './verdict.ts';
import { Workload } from './workload.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;

beforeAll(() => {
  eu = demo.region('eu');
  us = demo.region('us');
});

let running: Workload | null = null;

/** What one test left behind must not fail the next. */
afterEach(async () => {
  await running?.stop();
  running = null;
  await demo.setLinks('ok');
});

test('a write made in one region appears in the other', async () => {
  expect((await eu.put('products', 'table', { title: 'Table', price: 40 })).status).toBe(201);
  const seen = await until('the record is in us', 5000, async () => {
    const reply = await us.get('products', 'table');
    return reply.status === 200 ? reply.body : null;
  });
  const origin = await eu.get('products', 'table');
  expect(seen).toEqual(origin.body);
});

test('two regions converge under concurrent writes to the same records (I4, I7)', async () => {
  const workload = start(4, seed);
  await until('2000 writes are acknowledged', 150_000, () => workload.acknowledged >= 2000);
  const history = await workload.stop();
  await converged([eu, us], 'products', 20_000);
  await expectNothingLost([eu, us], workload.prefix, history);
  expect(history.filter((event) => event.result !== 'ok')).toEqual([]);
}, 200_000);

test('a concurrent write to one field keeps the loser as a sibling in both regions', async () => {
  await eu.put('products', 'sofa', { status: 'new' });
  await until('the record is in us', 5000, async () => (await us.get('products', 'sofa')).status === 200);
  await demo.setLinks('cut');
  await eu.patch('products', 'sofa', { set: { status: 'sold' } });
  await us.patch('products', 'sofa', { set: { status: 'reserved' } });
  await demo.setLinks('ok');
  await converged([eu, us], 'products', 30_000);
  const [inEu, inUs] = [await eu.get('products', 'sofa'), await us.get('products', 'sofa')];
  expect(inEu.body).toEqual(inUs.body);
  expect(inEu.body).toMatchObject({ value: { status: 'reserved' }, conflicts: ['status'] });
  expect(JSON.stringify(inEu.body)).toContain('sold');
}, 60_000);

test('cut off, both regions go on, lag and RPO rise; healed, they converge (I8, I10)', async () => {
  await until('links are connected', 30_000, async () => (await eu.peer('us')).link === 'connected');
  const quiet = await eu.peer('us');
  expect(quiet.rpoSeconds).not.toBeNull();
  expect(quiet.rpoSeconds ?? Infinity).toBeLessThan(2);
  await demo.setLinks('cut');
  const workload = start(2, seed + 1);
  const isolated = await until('lag and RPO have risen past 4 s on both sides', 30_000, async () => {
    const [fromEu, fromUs] = [await eu.peer('us'), await us.peer('eu')];
    const ages = [fromEu.rpoSeconds, fromEu.lagSeconds, fromUs.rpoSeconds, fromUs.lagSeconds];
    return ages.every((age) => age !== null && age > 4) ? { fromEu, fromUs } : null;
  });
  const acknowledged = workload.acknowledgedIn('eu');
  expect(isolated.fromEu.rpoChanges).not.toBeNull();
  expect(isolated.fromEu.link).not.toBe('connected');
  expect(await eu.isReady()).toBe(true);
  const later = await until('RPO counts what was written since', 10_000, async () => {
    const { rpoChanges } = await eu.peer('us');
    return rpoChanges !== null && rpoChanges >= acknowledged ? rpoChanges : null;
  });
  expect(later).toBeGreaterThanOrEqual(acknowledged);
  const history = await workload.stop();
  expect(history.filter((event) => event.result !== 'ok')).toEqual([]);
  const slowest = Math.max(...history.map((event) => event.completedAtMs - event.invokedAtMs));
  expect(slowest).toBeLessThan(2000);
  await demo.setLinks('ok');
  await converged([eu, us], 'products', 30_000);
  await expectNothingLost([eu, us], workload.prefix, history);
  await until('lag and RPO are low again', 20_000, async () => {
    const { rpoSeconds, lagSeconds, rpoChanges, link } = await eu.peer('us');
    return rpoSeconds !== null && rpoSeconds < 2 && lagSeconds !== null && lagSeconds < 2 && rpoChanges === 0
      ? link === 'connected'
      : null;
  });
}, 150_000);

test('a one-way cut stops one direction only, and both sides name it', async () => {
  await demo.setLink('eu', 'us', 'cut');
  await us.put('products', 'from-us', { title: 'still here' });
  await eu.put('products', 'from-eu', { title: 'not yet there' });
  await until('us to eu goes on', 5000, async () => (await eu.get('products', 'from-us')).status === 200);
  await until('both sides name it', 30_000, async () => {
    const [fromEu, fromUs] = [await eu.peer('us'), await us.peer('eu')];
    if (fromEu.link === 'one-way-out' && fromUs.link === 'one-way-in') return true;
    throw new Error(`eu says ${fromEu.link}, us says ${fromUs.link}`);
  });
  expect((await us.get('products', 'from-eu')).status).toBe(404);
  await demo.setLink('eu', 'us', 'ok');
  await until(
    'eu to us has healed',
    30_000,
    async () => (await us.get('products', 'from-eu')).status === 200,
  );
}, 120_000);

test('a link that hangs holds up no local call and heals', async () => {
  await demo.setLinks('hang');
  const startedMs = performance.now();
  for (let index = 0; index < 50; index++) {
    expect((await eu.put('products', `hung-${index}`, { title: 'local' })).status).toBe(201);
  }
  expect(performance.now() - startedMs).toBeLessThan(5000);
  await until(
    'the lag of us behind eu shows',
    30_000,
    async () => ((await us.peer('eu')).lagSeconds ?? 0) > 3,
  );
  await demo.setLinks('ok');
  await converged([eu, us], 'products', 60_000);
}, 120_000);

function start(writersPerRegion: number, from: number): Workload {
  running = new Workload({ regions: [eu, us], writersPerRegion, seed: from });
  running.start();
  return running;
}

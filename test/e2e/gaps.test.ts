import { beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { forgetChanges } from './log-under-test.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;

beforeAll(() => {
  eu = demo.region('eu');
  us = demo.region('us');
});

test('changes that the log forgot before a peer read them are a gap, visible and not skipped (I3)', async () => {
  await eu.put('products', 'before', { title: 'before' });
  await until(
    'the first record is in us',
    10_000,
    async () => (await us.get('products', 'before')).status === 200,
  );
  await demo.setLink('eu', 'us', 'cut');
  for (let index = 0; index < 40; index++) await eu.put('products', `lost-${index}`, { title: 'x' });
  await until('the own log holds them', 10_000, async () =>
    /rpo_changes\{peer="log"\} 0$/m.test(await eu.metrics()),
  );
  const origin = demo.ready.regions.find(({ region }) => region === 'eu');
  await forgetChanges(origin ?? expect.fail('eu runs'));
  await demo.setLink('eu', 'us', 'ok');
  await until('every partition of eu says gap in us', 30_000, async () => (await us.status()).gaps === 8);
  await eu.put('products', 'after', { title: 'after' });
  expect(await us.metrics()).toMatch(/^isthmus_gaps_total\{origin="eu",cause="missing-interval"\} 8$/m);
  await until('lag behind eu rises', 20_000, async () => ((await us.peer('eu')).lagSeconds ?? 0) > 3);
  expect((await us.get('products', 'lost-0')).status).toBe(404);
  expect((await us.get('products', 'after')).status).toBe(404);
  await us.put('products', 'from-us', { title: 'goes on' });
  await until('us to eu goes on', 10_000, async () => (await eu.get('products', 'from-us')).status === 200);
}, 120_000);

/**
 * Parts of a log that are gone before a peer has read them: the region notices, fetches what is missing from the
 * records of the origin, and converges without anybody's help.
 */
import { beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { forgetLog } from './forget-log.ts';
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

test('changes that the log forgot before a peer read them are a gap, which repairs itself (I3, P6)', async () => {
  await eu.put('products', 'before', { title: 'before' });
  await eu.put('products', 'gone', { title: 'gone' });
  await us.put('products', 'own', { title: 'own' });
  await converged([eu, us], 'products', 10_000);
  expect(await us.metrics()).not.toMatch(/^isthmus_transfers_total/m);
  await demo.setLink('eu', 'us', 'cut');
  for (let index = 0; index < 40; index++) await eu.put('products', `lost-${index}`, { title: 'x' });
  await eu.delete('products', 'gone');
  await until('the own log holds them', 10_000, async () =>
    /rpo_changes\{peer="log"\} 0$/m.test(await eu.metrics()),
  );
  await forgetLog(demo.ready, 'eu');
  await us.put('products', 'from-us', { title: 'goes on' });
  await demo.setLink('eu', 'us', 'ok');
  await until('us has what the log lost', 30_000, async () => (await us.get('products', 'lost-0')).status === 200);
  await eu.put('products', 'after', { title: 'after' });
  await until('reading goes on', 20_000, async () => (await us.get('products', 'after')).status === 200);
  await converged([eu, us], 'products', 20_000);
  expect((await us.get('products', 'gone')).status).toBe(404);
  await until('no gap is open', 10_000, async () => {
    const { gaps, transfers } = await us.status();
    return gaps === 0 && transfers === 0;
  });
  await until('lag is small again', 10_000, async () => ((await us.peer('eu')).lagSeconds ?? 9) < 2);
  const metrics = await us.metrics();
  expect(metrics).toMatch(/^isthmus_gaps_total\{origin="eu",cause="missing-interval"\} 8$/m);
  expect(metrics).toMatch(/^isthmus_transfers_total\{origin="eu",cause="gap"\} 1$/m);
  expect(await eu.metrics()).not.toMatch(/^isthmus_transfers_total/m);
}, 120_000);

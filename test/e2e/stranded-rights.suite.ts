/**
 * Rights of a bounded counter that a region took with it when it died (P8, I7): a refused spending says where they are,
 * nobody may claim them before the survivors have agreed on its end, then one survivor may, once, and the bound holds; and
 * where that one is gone as well, whoever inherits from it.
 */
import { beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

const demo = useDemo(['--regions', 'eu,us,ap']);
let eu: RegionClient;
let us: RegionClient;

beforeAll(() => {
  [eu, us] = [demo.region('eu'), demo.region('us')];
});

const run = (command: string) => isthmus(demo.pid, `${command} --json`);
const stock = async (region: RegionClient) => (await region.list('products')).get('counted')?.['stock'];

test('a refused spending says what is stranded where, and the heir alone claims it', async () => {
  await eu.patch('products', 'counted', { refill: { stock: 2 } });
  await demo.region('ap').patch('products', 'counted', { refill: { stock: 10 } });
  await demo.region('ap').patch('products', 'unclaimed', { refill: { stock: 7 } });
  await converged([eu, us, demo.region('ap')], 'products', 20_000);
  await demo.signal('ap', 'region', 'SIGKILL');
  await demo.signal('ap', 'postgres', 'SIGKILL');

  const early = await eu.patch('products', 'counted', { spend: { stock: 5 } });
  expect(early).toMatchObject({
    status: 409,
    body: { have: 2, need: 5, elsewhere: [{ region: 'ap', rights: 10, stranded: false }] },
  });
  expect(await run('rights claim products counted stock --region eu')).toMatchObject({ code: 1 });

  expect((await run('region retire ap --heir us')).code).toBe(0);
  // A region looks once a second at who is closed.
  let refused: unknown = null;
  await until('the rights are called stranded', 20_000, async () => {
    refused = await eu.patch('products', 'counted', { spend: { stock: 5 } });
    return JSON.stringify(refused).includes('"stranded":true');
  });
  expect(refused).toMatchObject({
    status: 409,
    body: { have: 2, need: 5, elsewhere: [{ region: 'ap', rights: 10, stranded: true }] },
  });
  expect(await run('rights show products counted --region eu')).toMatchObject({
    code: 0,
    answer: { fields: [{ holders: [{ region: 'ap', claimableBy: 'us' }, { region: 'eu' }] }] },
  });
  expect(await run('rights claim products counted stock --region eu')).toMatchObject({ code: 1 });
  const claimed = { claims: [{ region: 'ap', rights: 10 }] };
  const dry = await run('rights claim products counted stock --region us --dry-run');
  expect(dry).toMatchObject({ code: 0, answer: { dryRun: true, ...claimed } });
  const both = await Promise.all([
    run('rights claim products counted stock --region us'),
    run('rights claim products counted stock --region us'),
  ]);
  expect(both.filter(({ code }) => code === 0)).toHaveLength(1);

  expect(await stock(us)).toBe(12);
  expect((await us.patch('products', 'counted', { spend: { stock: 10 } })).status).toBe(200);
  await converged([eu, us], 'products', 20_000);
  expect(await stock(eu)).toBe(2);
  expect((await us.patch('products', 'counted', { spend: { stock: 1 } })).status).toBe(409);
}, 180_000);

test('whoever inherits from an heir that is gone claims what that one held, and what it had not claimed, once', async () => {
  await converged([eu, us], 'products', 20_000);
  await demo.signal('us', 'region', 'SIGKILL');
  await demo.signal('us', 'postgres', 'SIGKILL');
  expect(await run('rights claim products unclaimed stock --region eu')).toMatchObject({ code: 1 });
  expect((await run('region retire us')).code).toBe(0);
  expect(await run('rights show products unclaimed --region eu')).toMatchObject({
    code: 0,
    answer: { fields: [{ holders: [{ region: 'ap', claimableBy: 'eu' }] }] },
  });
  const both = await Promise.all([
    run('rights claim products unclaimed stock --region eu'),
    run('rights claim products unclaimed stock --region eu'),
  ]);
  expect(both.filter(({ code }) => code === 0)).toHaveLength(1);
  expect((await eu.patch('products', 'unclaimed', { spend: { stock: 8 } })).status).toBe(409);
  expect((await eu.patch('products', 'unclaimed', { spend: { stock: 7 } })).status).toBe(200);
  expect(await run('rights claim products counted stock --region eu')).toMatchObject({ code: 1 });
  expect((await eu.patch('products', 'counted', { spend: { stock: 3 } })).status).toBe(409);
  expect((await eu.patch('products', 'counted', { spend: { stock: 2 } })).status).toBe(200);
}, 120_000);

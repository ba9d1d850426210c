/** The region as a whole on the admin listener: what is shown and changed, and what a filling anew is refused for (P6). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../until.ts';
import { call, refusalOf } from './conflict-calls.ts';
import { type Site, problemOf, startSite } from './site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite({ products: { fields: { title: { type: 'register' } } } });
}, 120_000);

afterAll(() => site.stop());

const ask = (path = '', method = 'GET') => call(`${site.adminUrl}/v1/region${path}`, { method });

it('a region that takes writes waits for nothing', async () => {
  expect(await ask()).toMatchObject({
    status: 200,
    body: { region: 'eu', actor: site.actor, waitsFor: [], drained: null, refill: null },
  });
});

it('a dry run drains nothing', async () => {
  expect(await ask('/drain?dryRun=true', 'POST')).toMatchObject({ status: 200, body: { drained: null } });
  expect((await site.put('a', { title: 'x' })).status).toBe(201);
});

it('a drained region writes nothing, says so and names the beat; joining ends that', async () => {
  expect(await ask('/drain', 'POST')).toMatchObject({
    status: 200,
    body: { drained: { peers: [{ region: 'us', hasAll: null }] } },
  });
  expect(refusalOf(await site.put('b', { title: 'x' }))).toEqual([503, 'database-unavailable']);
  expect((await site.get('a')).status, 'reads go on').toBe(200);
  await ask('/drain', 'POST');
  await until('the beat is named', 10_000, async () => site.database.drains.settle());
  expect((await site.database.drains.find())?.beat).toEqual(expect.any(Number));
  expect(await ask('/join', 'POST')).toMatchObject({ status: 200, body: { waitsFor: [], drained: null } });
  expect((await site.put('b', { title: 'x' })).status).toBe(201);
});

it.each([
  ['a peer that there is not', 'from=mars', 422, 'invalid-value'],
  ['a life that is none', 'acceptLoss=eu', 422, 'invalid-value'],
  [
    'more lives than can be',
    `acceptLoss=${Array.from({ length: 65 }, () => 'eu.1.00000001').join(',')}`,
    422,
    'invalid-value',
  ],
  ['no peer that answers', 'dryRun=true', 503, 'no-donor'],
  ['a peer that does not answer', 'from=us', 503, 'no-donor'],
])('filling anew is refused for %s', async (_, query, status, code) => {
  const refused = await ask(`/refill?${query}`, 'POST');
  expect(refusalOf(refused)).toEqual([status, code]);
  if (code === 'invalid-value') expect(problemOf(refused).violations).toHaveLength(1);
  else expect(problemOf(refused).detail).toContain('us does not answer');
  expect(await site.database.refills.find()).toBeNull();
});

it('what a region wrote is not exported while it writes', async () => {
  const refused = await call(`${site.adminUrl}/v1/unreplicated?dryRun=true`);
  expect(refusalOf(refused)).toEqual([409, 'not-retired']);
});

it.each(['0/4', '5/4', '1/2000', '1', 'x/y'])('of an export there is no part %s', async (part) => {
  const refused = await call(`${site.adminUrl}/v1/unreplicated?part=${encodeURIComponent(part)}`);
  expect(refused.status).toBe(422);
});

/** Closing a region for good on the admin listener (P8): what is refused, and what is said to peers that ask. */
import { decodeVector } from '@isthmus/replication/log/offer-bytes';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { call, refusalOf } from './conflict-calls.ts';
import { type Site, problemOf, startSite } from './site.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 7 };

let site: Site;

beforeAll(async () => {
  site = await startSite({ products: { fields: { title: { type: 'register' } } } });
  const at = { applied: 9n, settled: 9n, beat: null, nextOffset: 0n };
  await site.database.records.createPosition({ origin: us, incarnation, partition: 0, ...at });
}, 120_000);

afterAll(() => site.stop());

const close = (region: string, body?: unknown, query = '') =>
  call(`${site.adminUrl}/v1/regions/${region}/close${query}`, {
    method: 'POST',
    ...(body === undefined ? {} : { body }),
  });
const said = (path = '') => call(`${site.adminUrl}/v1/retired${path}`);

it('a dry run says who survives and closes nothing', async () => {
  expect(await close('us', { heir: 'eu' }, '?dryRun=true')).toMatchObject({
    status: 200,
    body: { dryRun: true, region: 'eu', survivors: ['eu'] },
  });
  expect((await said()).body).toEqual({ retired: [] });
  expect(refusalOf(await said('/us'))).toEqual([404, 'not-found']);
});

it.each<[string, string, unknown, string]>([
  ['a region that is no peer', 'ap', undefined, 'not-found'],
  ['the region itself', 'eu', undefined, 'not-found'],
  ['a name that is none', '..%2f', undefined, 'not-found'],
  ['an heir that does not survive', 'us', { heir: 'us' }, 'invalid-value'],
  ['an heir that nobody knows', 'us', { heir: 'mars' }, 'invalid-value'],
  ['an heir that is no text', 'us', { heir: 1 }, 'invalid-value'],
  ['a member too many', 'us', { heir: 'eu', force: true }, 'invalid-value'],
  ['a body that is no object', 'us', [], 'invalid-value'],
])('%s is refused', async (_, region, body, code) => {
  const refused = await close(region, body);
  expect(refusalOf(refused)[1]).toBe(code);
  if (code === 'invalid-value') expect(problemOf(refused).violations).toHaveLength(1);
  expect((await said()).body).toEqual({ retired: [] });
});

it('a close is told to whoever asks, with how far the region has come and who is to inherit', async () => {
  expect((await close('us', { heir: 'eu' })).status).toBe(200);
  expect((await close('us')).status).toBe(200);
  expect((await said()).body).toEqual({
    retired: [{ region: 'us', state: 'closed', heir: null, waitsFor: [] }],
  });
  const { status, body } = await said('/us');
  expect([status, body]).toMatchObject([200, { survivors: ['eu'], wish: 'eu', agreed: null }]);
  const { position } = z.object({ position: z.base64() }).parse(body);
  expect(decodeVector(Buffer.from(position, 'base64'))).toEqual([
    { region: us, incarnation, partition: 0, lsn: 9n },
  ]);
});

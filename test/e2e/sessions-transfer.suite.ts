/**
 * A session over two regions with a transfer between (P5, P6, I9): what a caller has read in a region that got it outside
 * the log, it is never shown less of in a region that did not.
 */
import { expect, test } from 'vitest';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import { useDemo } from './use-demo.ts';

const demo = useDemo(['--regions', 'eu,us,ap']);

async function read(region: string, session: string | null, waitMs: number) {
  const response = await fetch(`${demo.serversOf(region).api}/v1/collections/products/records/moved`, {
    signal: AbortSignal.timeout(20_000),
    headers: { 'isthmus-wait': String(waitMs), ...(session === null ? {} : { 'isthmus-session': session }) },
  });
  const body = JSON.stringify(await response.json());
  return { status: response.status, body, session: response.headers.get('isthmus-session') ?? '' };
}

test('what a transfer has brought to one region is waited for in another', async () => {
  const eu = demo.region('eu');
  expect((await eu.put('products', 'moved', { title: 'first' })).status).toBe(201);
  for (const region of ['us', 'ap'])
    await until(`${region} has the first`, 20_000, async () => (await read(region, null, 0)).status === 200);
  for (const target of ['us', 'ap']) await demo.setLink('eu', target, 'cut');
  expect((await eu.put('products', 'moved', { title: 'second' })).status).toBe(200);
  expect((await read('us', null, 0)).body).toContain('"first"');
  const transfer = await isthmus(demo.pid, 'transfer --from eu --region us --json');
  expect(transfer.code).toBe(0);
  const seen = await read('us', null, 0);
  expect(seen.body, 'the transfer brought it past the cut').toContain('"second"');

  expect((await read('ap', null, 0)).body, 'nobody else has to wait').toContain('"first"');
  const refused = await read('ap', seen.session, 500);
  expect(refused).toMatchObject({ status: 503 });
  expect(refused.body).toContain('session-not-reached');
  expect((await read('us', seen.session, 500)).status, 'at home it holds at once').toBe(200);
  for (const target of ['us', 'ap']) await demo.setLink('eu', target, 'ok');
  await until('the other region has caught up', 30_000, async () => {
    const later = await read('ap', seen.session, 2000);
    if (later.status === 503) return false;
    expect(later.body, 'never back in time').toContain('"second"');
    return true;
  });
}, 150_000);

/** Records whose delete or clear is larger than what one write may add: both are always possible, and spoil no other write. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Site, startSite, valueOf } from './site.ts';

const collections = {
  products: { fields: { title: { type: 'register' }, visits: { type: 'map', of: { type: 'counter' } } } },
};
const names = Array.from({ length: 1900 }, (_, index) => `${index}`.padStart(450, 'x'));
const deltaLimitBytes = 256 * 1024;

let site: Site;

beforeAll(async () => {
  site = await startSite(collections);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

const stored = async (key: string) =>
  (await site.database.records.read({ collection: 'products', key: site.prefix + key })) ?? new Uint8Array(0);

async function fill(key: string): Promise<void> {
  for (let from = 0; from < names.length; from += 475) {
    const amounts = names.slice(from, from + 475).map((name) => [`visits.${name}`, 1] as const);
    const answer = await site.patch(key, { increment: Object.fromEntries(amounts) });
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  }
  expect((await stored(key)).length).toBeGreaterThan(3 * deltaLimitBytes);
}

it('deletes a record of almost 1 MiB, beside other writes', async () => {
  await fill('large');
  const answers = await Promise.all([
    site.put('small', { title: 'a' }),
    site.call('DELETE', site.path('large')),
    site.put('other', { title: 'b' }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([201, 204, 201]);
  expect((await site.get('large')).status).toBe(404);
  expect((await stored('large')).length).toBeGreaterThan(3 * deltaLimitBytes);
  await site.put('large', { title: 'again' });
  expect(valueOf(await site.get('large'))).toEqual({ title: 'again' });
});

it('clears a field of almost 1 MiB', async () => {
  await fill('cleared');
  expect((await site.patch('cleared', { clear: ['visits'] })).status).toBe(200);
  expect(valueOf(await site.get('cleared'))).toEqual({});
});

it('shows of a batch no more than 4 MiB of records, and says where it stopped', async () => {
  // Each takes six bytes as JSON.
  const title = '\u0001'.repeat(150_000);
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const key of keys) expect((await site.put(key, { title })).status).toBe(201);
  const writes = keys.map((key) => ({
    method: 'patch',
    collection: 'products',
    key: site.prefix + key,
    increment: { 'visits.x': 1 },
  }));
  const answer = await site.call('POST', '/v1/batch', { writes });
  expect(answer.status).toBe(200);
  const shown = { status: 200, record: expect.objectContaining({ value: { title, visits: { x: 1 } } }) };
  const omitted = { status: 200, omitted: 'answer-full' };
  expect(answer.body).toEqual({ results: [shown, shown, shown, shown, omitted, omitted] });
  expect(JSON.stringify(answer.body).length).toBeLessThan(4.1 * 1024 * 1024);
});

it('deletes several of them in one batch where they fit into a transaction, and else says how large they are', async () => {
  await fill('one');
  const remove = (key: string) => ({ method: 'delete', collection: 'products', key: site.prefix + key });
  expect((await site.call('POST', '/v1/batch', { writes: [remove('one')] })).status).toBe(200);
  await fill('two');
  await fill('three');
  const refused = await site.call('POST', '/v1/batch', { writes: [remove('two'), remove('three')] });
  expect(refused.status).toBe(413);
  expect((await site.get('two')).status).toBe(200);
});

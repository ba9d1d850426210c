/** Conflicts on the admin listener, over a real Postgres and the real journal. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Conflicts, call, declared, refusalOf } from './conflict-calls.ts';
import { type Site, startSite, usActor } from './site.ts';

let site: Site;
let conflicts: Conflicts;

beforeAll(async () => {
  site = await startSite(declared);
  conflicts = new Conflicts(site);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

describe('the list', () => {
  it('has every field with several live values, with who wrote each, and why one is shown', async () => {
    await site.put('a', { title: 'eu', status: 'eu' });
    await conflicts.arrive('a', { title: 'us', status: 'us' });
    await site.put('quiet', { title: 'x' });
    const found = await conflicts.of('a');
    expect(found.map(({ field, resolution }) => [field, resolution])).toEqual([
      ['status', 'siblings'],
      ['title', 'last-writer'],
    ]);
    expect(found[1]).toMatchObject({
      collection: 'products',
      key: `${site.prefix}a`,
      siblings: [
        { value: 'us', region: 'us', actor: usActor, shown: true },
        { value: 'eu', region: 'eu', actor: site.actor, shown: false },
      ],
    });
    expect(found[1]?.siblings.map(({ why }) => why)).toEqual([
      expect.stringMatching(/^it is later by \d+ ms$/),
      expect.stringMatching(/^concurrent with what us\.1\.00000001 wrote at .*, which is later by \d+ ms$/),
    ]);
    expect(await conflicts.of('quiet')).toEqual([]);
    expect(await conflicts.of('absent')).toEqual([]);
  });

  it('gives each conflict once, page by page, over all collections', async () => {
    const keys = ['a', 'b', 'c/é', '🌍'];
    for (const key of keys) {
      await site.put(key, { title: 'eu', status: 'eu' });
      await conflicts.arrive(key, { title: 'us', status: 'us' });
    }
    await site.put('p', { name: 'eu' }, 'profiles');
    await conflicts.arrive('p', { name: 'us' }, { collection: 'profiles' });
    const seen: string[] = [];
    let query = '?limit=1';
    for (;;) {
      const { conflicts: found, next } = await conflicts.page(query);
      expect(found.length).toBeLessThanOrEqual(1);
      for (const { collection, key, field } of found)
        if (key.startsWith(site.prefix)) seen.push(`${collection} ${key.slice(site.prefix.length)} ${field}`);
      if (next === null) break;
      query = `?limit=1&after=${next}`;
    }
    const inProducts = keys.flatMap((key) => [`products ${key} status`, `products ${key} title`]);
    expect(seen).toEqual([...inProducts, 'profiles p name']);
  });

  it('is of one collection, or of one key, where that is asked for', async () => {
    await conflicts.ofTitle('a');
    await conflicts.ofTitle('ab');
    const ours = async (query: string) =>
      (await conflicts.page(query)).conflicts
        .filter(({ key }) => key.startsWith(site.prefix))
        .map(({ key }) => key);
    expect(await ours('?collection=products&limit=1000')).toEqual([`${site.prefix}a`, `${site.prefix}ab`]);
    expect(await ours('?collection=profiles&limit=1000')).toEqual([]);
    expect(await ours(conflicts.ofKey('a'))).toEqual([`${site.prefix}a`]);
  });

  it('goes on in a record whose conflicts were resolved meanwhile', async () => {
    await site.put('a', { title: 'eu', status: 'eu' });
    await conflicts.arrive('a', { title: 'us', status: 'us' });
    await conflicts.ofTitle('b');
    const first = await conflicts.page(`${conflicts.ofKey('a')}&limit=1`);
    expect(first).toMatchObject({ conflicts: [{ field: 'status' }], next: expect.any(String) });
    await conflicts.restore(first.conflicts[0]?.id ?? '');
    const second = await conflicts.page(`${conflicts.ofKey('a')}&limit=1&after=${first.next}`);
    expect(second).toMatchObject({ conflicts: [{ field: 'title' }], next: null });
  });

  it('reads no records but those that may be in conflict, and says how many', async () => {
    const { scanned } = await conflicts.page('?collection=products');
    await site.put('calm', { title: 'x' });
    await conflicts.ofTitle('split');
    expect((await conflicts.page('?collection=products')).scanned).toBe(scanned + 1);
    await conflicts.restore((await conflicts.page(conflicts.ofKey('split'))).conflicts[0]?.id ?? '');
    expect((await conflicts.page('?collection=products')).scanned).toBe(scanned);
  });

  it.each([
    ['?collection=product', 404, 'unknown-collection'],
    ['?collection=__proto__', 404, 'unknown-collection'],
    ['?collection=', 404, 'unknown-collection'],
    ['?collection=products&collection=profiles', 422, 'invalid-value'],
    ['?key=a', 422, 'invalid-value'],
    ['?collection=products&key=', 400, 'invalid-key'],
    ['?collection=products&key=%00', 400, 'invalid-key'],
    ['?collection=products&key=%ed%a0%80', 400, 'invalid-key'],
    [`?collection=products&key=${'x'.repeat(513)}`, 400, 'invalid-key'],
    ['?limit=0', 422, 'invalid-value'],
    ['?limit=1001', 422, 'invalid-value'],
    ['?limit=999999999999999999999', 422, 'invalid-value'],
    ['?limit=-1', 422, 'invalid-value'],
    ['?after=', 400, 'invalid-cursor'],
    ['?after=x', 400, 'invalid-cursor'],
    ['?after=%ff', 400, 'invalid-key'],
    [`?after=${'A'.repeat(12_000)}`, 400, 'invalid-cursor'],
    [`?after=${Buffer.from('products\0\0profiles\0a\0').toString('base64url')}`, 400, 'invalid-cursor'],
    [`?after=${Buffer.from('\0\0products\0\ud800\0').toString('base64url')}x`, 400, 'invalid-cursor'],
    [`?after=${Buffer.from([0, 0, 0xff, 0, 0]).toString('base64url')}`, 400, 'invalid-cursor'],
  ])('refuses %s', async (query, status, code) => {
    expect(refusalOf(await conflicts.list(query))).toEqual([status, code]);
  });

  it('refuses a cursor with another filter, and takes one to nowhere as an end or a beginning', async () => {
    await site.put('a', { title: 'eu', status: 'eu' });
    await conflicts.arrive('a', { title: 'us', status: 'us' });
    const { next } = await conflicts.page('?limit=1');
    expect(refusalOf(await conflicts.list(`?collection=products&after=${next}`))).toEqual([
      400,
      'invalid-cursor',
    ]);
    const forged = (...parts: string[]) => Buffer.from(parts.join('\0')).toString('base64url');
    const elsewhere = forged('products', '', 'profiles', 'a', '');
    expect(refusalOf(await conflicts.list(`?collection=products&after=${elsewhere}`))).toEqual([
      400,
      'invalid-cursor',
    ]);
    const otherKey = forged('products', 'a', 'products', 'b', 'title');
    expect(refusalOf(await conflicts.list(`?collection=products&key=a&after=${otherKey}`))).toEqual([
      400,
      'invalid-cursor',
    ]);
    const atEnd = await conflicts.page(`?after=${forged('', '', 'zzz', 'k', 'f')}`);
    expect(atEnd).toEqual({ conflicts: [], unreadable: [], next: null, scanned: 0 });
    const odd = await conflicts.list(`?limit=1000&after=${forged('', '', 'nowhere', '\u0085', '\0')}`);
    expect(odd.status).toBe(200);
  });
});

describe('one conflict', () => {
  it('is found by its id, until a write has seen its values', async () => {
    const found = await conflicts.ofTitle('a');
    const url = `${site.adminUrl}/v1/conflicts/${found.id}`;
    expect((await call(url)).body).toEqual(found);
    await call(conflicts.recordUrl('a'), { method: 'PATCH', body: { set: { title: 'both' } } });
    expect(refusalOf(await call(url))).toEqual([404, 'not-found']);
  });

  it('has the id that its names give, and no other', async () => {
    const { id } = await conflicts.ofTitle('k');
    const text = Buffer.from(id, 'base64url').toString();
    expect(text).toBe(`products\0${site.prefix}k\0title`);
  });
});

describe('a page of records', () => {
  it('has the siblings of every field where they are asked for', async () => {
    await conflicts.ofTitle('a');
    const url = `${site.apiUrl}/v1/collections/products/records?prefix=${site.prefix}`;
    expect((await call(url)).body).toMatchObject({ records: [{ conflicts: ['title'] }] });
    expect(JSON.stringify((await call(url)).body)).not.toContain('siblings');
    expect((await call(`${url}&siblings=all`)).body).toMatchObject({
      records: [{ siblings: { title: [{ value: 'us', region: 'us', shown: true }, { value: 'eu' }] } }],
    });
    expect(refusalOf(await call(`${url}&siblings=some`))).toEqual([422, 'invalid-value']);
  });
});

/**
 * Records into which a newer version wrote what this one does not know, on both listeners over a real Postgres: they
 * never stand in the way of others, are refused by name where somebody asks for them, and lose nothing.
 */
import { inspect, merge, schema } from '@isthmus/conflict';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Conflicts, apActor, call } from './conflict-calls.ts';
import { type Answer, type Site, problemOf, startSite, usActor, valueOf } from './site.ts';

const fields = {
  title: { type: 'register' },
  likes: { type: 'counter' },
  tags: { type: 'set' },
} as const;
const products = schema(fields);
/** Heads of values end before it (conflict/FORMAT.md). */
const unknownHead = 0xbf;

let site: Site;
let conflicts: Conflicts;

beforeAll(async () => {
  site = await startSite({ products: { fields } });
  conflicts = new Conflicts(site);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

/** What region us writes with a version of the format in which titles may be something new. */
function newerTitle(nowMs: number, format = 0x11): Uint8Array {
  const { delta } = products.edit(new Uint8Array(), { actor: usActor, now: nowMs }, (edit) =>
    edit.set('title', true),
  );
  const bytes = Buffer.from(delta);
  // The path, the tag of a register, six bytes of a stamp, and the value.
  const value = bytes.indexOf(Buffer.from('title\u00f6', 'latin1')) + 'title'.length + 1 + 6;
  expect(bytes[value]).toBe(2);
  bytes[value] = unknownHead;
  bytes[0] = format;
  return bytes;
}

async function store(key: string, change: (before: Uint8Array) => Uint8Array): Promise<void> {
  await site.database.records.commitLocal({
    ids: [{ collection: 'products', key: site.prefix + key }],
    decide: ({ states }) => {
      const state = change(states[0] ?? new Uint8Array());
      return [{ index: 0, state, delta: state }];
    },
  });
}

const nowMs = () => Math.floor(site.database.clock.nowMs());
const newer = (key: string) =>
  store(key, (before) =>
    before.length === 0 ? newerTitle(nowMs()) : merge(before, newerTitle(nowMs())).state,
  );
/** Of another major version nothing is known at all. */
const unknown = (key: string) => store(key, () => newerTitle(nowMs(), 0x20));

const stored = async (key: string) =>
  (await site.database.records.read({ collection: 'products', key: site.prefix + key })) ??
  expect.fail('it is stored');

const marker = (key: string, format = '1.1') => ({
  collection: 'products',
  key: site.prefix + key,
  version: format === '1.1' ? expect.stringMatching(/^[0-9a-f]{32}$/) : null,
  unreadable: { code: 'newer-format', format, supported: '1.0' },
});

/** Names the record and both formats. */
function expectTooNew(answer: Answer, key: string, format = '1.1'): void {
  expect([answer.status, problemOf(answer).code]).toEqual([501, 'newer-format']);
  expect(problemOf(answer).violations).toEqual([{ field: '', rule: 'format', limit: '1.0', value: format }]);
  expect(answer.body).toMatchObject({ record: { collection: 'products', key: site.prefix + key } });
}

describe.each([
  ['a newer minor version', newer, '1.1'],
  ['a newer major version', unknown, '2.0'],
])('a record of %s', (_, write, format) => {
  it('is refused by name where it is asked for', async () => {
    await write('a');
    expectTooNew(await site.get('a'), 'a', format);
  });

  it('stands in a page by its key, and the page has all others', async () => {
    for (const key of ['a', 'c']) await site.put(key, { title: key });
    await write('b');
    const listed = await site.call('GET', `/v1/collections/products/records?prefix=${site.prefix}`);
    expect(listed.status).toBe(200);
    expect(listed.body).toMatchObject({
      records: [{ value: { title: 'a' } }, marker('b', format), { value: { title: 'c' } }],
      next: null,
    });
  });

  it('is raw with its bytes', async () => {
    await write('a');
    const raw = await site.ask(`/v1/records/products/${site.prefix}a`);
    expect(raw.status).toBe(200);
    expect(JSON.parse(raw.text)).toMatchObject({
      ...marker('a', format),
      base64: Buffer.from(await stored('a')).toString('base64'),
    });
  });

  it('is unharmed by a put that would have to understand it', async () => {
    await write('a');
    const before = await stored('a');
    expectTooNew(await site.put('a', { title: 'x', likes: 3 }), 'a', format);
    expect(await stored('a')).toEqual(before);
  });

  it('refuses a batch as a whole, with its place', async () => {
    await write('a');
    const key = (name: string) => site.prefix + name;
    const refused = await site.call('POST', '/v1/batch', {
      writes: [
        { method: 'put', collection: 'products', key: key('b'), value: { title: 'b' } },
        { method: 'put', collection: 'products', key: key('a'), value: { title: 'x', likes: 3 } },
      ],
    });
    expect([refused.status, problemOf(refused).code]).toEqual([501, 'newer-format']);
    expect(problemOf(refused).violations[0]).toMatchObject({ field: 'writes[1]', value: format });
    expect(refused.body).toMatchObject({ record: { key: key('a') } });
    expect((await site.get('b')).status).toBe(404);
  });
});

describe('a record with a value of a newer minor version', () => {
  it('says in the raw form what can be told', async () => {
    await site.patch('a', { increment: { likes: 2 } });
    await newer('a');
    const { state } = z
      .object({
        state: z.object({
          fields: z.array(z.looseObject({ path: z.string(), entries: z.array(z.looseObject({})) })),
        }),
      })
      .parse(JSON.parse((await site.ask(`/v1/records/products/${site.prefix}a`)).text));
    expect(state.fields.find(({ path }) => path === 'likes')?.entries).toMatchObject([
      { value: { added: 2 } },
    ]);
    expect(state.fields.find(({ path }) => path === 'title')?.entries).toMatchObject([
      { actor: usActor, value: null, why: 'the only value; only a newer version can read the value' },
    ]);
  });

  it('takes a patch of other fields and loses nothing', async () => {
    await newer('a');
    const patched = await site.patch('a', { increment: { likes: 2 }, add: { tags: ['x'] } });
    expect(patched.status).toBe(200);
    expect(patched.body).toEqual(marker('a'));
    expect(patched.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
    const state = await stored('a');
    expect(inspect(state).format).toBe('1.1');
    expect(state.includes(unknownHead)).toBe(true);
    expect((await site.patch('a', { set: { title: 'known' } })).status).toBe(200);
    expect(valueOf(await site.get('a'))).toEqual({ title: 'known', likes: 2, tags: ['x'] });
  });

  it('in a batch is answered in its place', async () => {
    await newer('a');
    const write = {
      method: 'patch',
      collection: 'products',
      key: `${site.prefix}a`,
      increment: { likes: 1 },
    };
    const answer = await site.call('POST', '/v1/batch', { writes: [write] });
    expect(answer.body).toEqual({ results: [{ status: 200, record: marker('a') }] });
  });

  it('keeps conditions that need its version alone', async () => {
    await newer('a');
    const none = { 'if-none-match': '*' };
    expect((await site.call('PATCH', site.path('a'), { increment: { likes: 1 } }, none)).status).toBe(412);
  });

  it('can be deleted', async () => {
    await newer('a');
    expect((await site.call('DELETE', site.path('a'))).status).toBe(204);
    expect((await site.get('a')).status).toBe(404);
  });

  it('stands beside the conflicts of others, and its own are refused by name', async () => {
    for (const key of ['a', 'c']) {
      await site.put(key, { title: 'eu' });
      await conflicts.arrive(key, { title: 'us' });
    }
    await site.put('b', { title: 'eu' });
    await conflicts.arrive('b', { title: 'ap' }, { actor: apActor });
    const [found] = await conflicts.of('b');
    await newer('b');
    const page = await conflicts.page('?collection=products&limit=1000');
    const ours = page.conflicts.filter(({ key }) => key.startsWith(site.prefix));
    expect(ours.map(({ key }) => key.slice(site.prefix.length))).toEqual(['a', 'c']);
    expect(page.unreadable.filter(({ key }) => key.startsWith(site.prefix))).toEqual([marker('b')]);
    const id = found?.id ?? '';
    expectTooNew(await call(`${site.adminUrl}/v1/conflicts/${id}`), 'b');
    expectTooNew(await conflicts.restore(id), 'b');
  });
});

/** The public and the admin listener over a real Postgres and the real journal. */
import { schema } from '@isthmus/conflict';
import { Drain } from '@isthmus/region/drain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Answer, type Site, codeOf, record, startSite, valueOf } from './site.ts';

const collections = {
  products: {
    fields: {
      title: { type: 'register' },
      price: { type: 'register' },
      status: { type: 'register', resolve: 'siblings' },
      likes: { type: 'counter' },
    },
  },
  profiles: {
    deletes: 'last-writer-wins',
    fields: { name: { type: 'register' }, visits: { type: 'counter' } },
  },
};

let site: Site;
const drain = new Drain();

beforeAll(async () => {
  site = await startSite(collections, drain);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

const call: Site['call'] = (...request) => site.call(...request);
const path: Site['path'] = (...named) => site.path(...named);
const ask: Site['ask'] = (...request) => site.ask(...request);

describe('one record', () => {
  it('is put, read, put again and deleted', async () => {
    const created = await call('PUT', path('a'), { value: { title: 'x', price: { eur: 5 } } });
    expect(created.status).toBe(201);
    expect(valueOf(created)).toEqual({ title: 'x', price: { eur: 5 }, likes: 0 });
    expect(created.headers.get('etag')).toBe(`"${record.parse(created.body).version}"`);
    const read = await call('GET', path('a'));
    expect(read.body).toEqual(created.body);
    const again = await call('PUT', path('a'), { value: { title: 'y' } });
    expect(again.status).toBe(200);
    expect(valueOf(again)).toEqual({ title: 'y', likes: 0 });
    expect((await call('DELETE', path('a'))).status).toBe(204);
    expect((await call('DELETE', path('a'))).status).toBe(204);
    const gone = await call('GET', path('a'));
    expect([gone.status, codeOf(gone)]).toEqual([404, 'not-found']);
    expect((await call('PUT', path('a'), { value: {} })).status).toBe(201);
  });

  it('keeps its version when a put changes nothing', async () => {
    const first = await call('PUT', path('a'), {
      value: { title: 'x', price: [1, { a: null }], status: null },
    });
    const second = await call('PUT', path('a'), { value: valueOf(first) });
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
  });

  it('is patched, and created by a patch', async () => {
    const created = await call('PATCH', path('a'), { increment: { likes: 3 }, set: { title: 'x' } });
    expect(created.status).toBe(201);
    const edited = await call('PATCH', path('a'), { increment: { likes: -5 }, clear: ['title'] });
    expect(edited.status).toBe(200);
    expect(valueOf(edited)).toEqual({ likes: -2 });
    expect(valueOf(await call('PATCH', path('a'), { clear: ['likes'] }))).toEqual({ likes: 0 });
    expect((await call('PATCH', path('empty'), {})).status).toBe(201);
    expect(valueOf(await call('GET', path('empty')))).toEqual({ likes: 0 });
  });

  it('takes a counter in a put only with the value held', async () => {
    await call('PATCH', path('a'), { increment: { likes: 3 } });
    expect((await call('PUT', path('a'), { value: { likes: 3, title: 'x' } })).status).toBe(200);
    const refused = await call('PUT', path('a'), { value: { likes: 4 } });
    expect([refused.status, codeOf(refused)]).toEqual([422, 'wrong-operation']);
    expect(JSON.stringify(refused.body)).toContain('increment');
  });

  it.each(['a/b', 'a/', '/', '%2F', 'ü🌍', '__proto__', 'constructor', "x' OR 1=1 --", 'a?b#c&d', ' ', '%'])(
    'has the key %j, whatever it means elsewhere',
    async (key) => {
      const written = await call('PUT', path(key), { value: { title: key } });
      expect(written.status).toBe(201);
      const read = record.parse((await call('GET', path(key))).body);
      expect(read.key).toBe(site.prefix + key);
      expect(read.value['title']).toBe(key);
      expect((await call('GET', path(`${key}x`))).status).toBe(404);
    },
  );

  it('keeps any JSON as it came', async () => {
    const text = '{"__proto__":{"x":1},"constructor":1,"":[null,true,"\\u0000\\ud83c\\udf0d",-1.5e-7]}';
    const written = await call('PUT', path('a'), `{"value":{"title":${text}}}`);
    expect(written.status).toBe(201);
    const { title } = valueOf(await call('GET', path('a')));
    expect(title).toEqual(JSON.parse(text));
    expect(Object.keys(Object(title))).toContain('__proto__');
    expect('x' in {}).toBe(false);
  });

  it('answers 304 and 412 by its version', async () => {
    const { version } = record.parse((await call('PUT', path('a'), { value: { title: 'x' } })).body);
    const tag = `"${version}"`;
    const weak = await call('PUT', path('a'), { value: { title: 'weak' } }, { 'if-match': `W/${tag}` });
    expect([weak.status, codeOf(weak)]).toEqual([412, 'precondition-failed']);
    const unchanged = await call('GET', path('a'), undefined, { 'if-none-match': `"other", W/${tag}` });
    expect([unchanged.status, unchanged.body, unchanged.headers.get('etag')]).toEqual([304, null, tag]);
    expect((await call('GET', path('a'), undefined, { 'if-none-match': '"other"' })).status).toBe(200);
    const edit = { set: { title: 'y' } };
    const refused = await call('PATCH', path('a'), edit, { 'if-match': '"other"' });
    expect([refused.status, codeOf(refused)]).toEqual([412, 'precondition-failed']);
    expect(JSON.stringify(refused.body)).toContain('this region only');
    expect((await call('PUT', path('a'), { value: {} }, { 'if-none-match': '*' })).status).toBe(412);
    expect((await call('DELETE', path('b'), undefined, { 'if-match': '*' })).status).toBe(412);
    expect((await call('PATCH', path('a'), edit, { 'if-match': tag })).status).toBe(200);
    expect((await call('PATCH', path('a'), edit, { 'if-match': tag })).status).toBe(412);
    expect((await call('PUT', path('b'), { value: {} }, { 'if-none-match': '*' })).status).toBe(201);
    expect((await call('DELETE', path('a'), undefined, { 'if-match': 'untagged' })).status).toBe(400);
  });

  it.each(['return=minimal', 'wait=5, Return="minimal"; x=1', 'return=minimal, return=representation'])(
    'is written without being shown for `Prefer: %s`',
    async (prefer) => {
      const minimal = { prefer };
      const put = (title: string) => call('PUT', path('a'), { value: { title } }, minimal);
      for (const [title, status] of [
        ['x', 201],
        ['y', 204],
        ['y', 204],
      ] as const) {
        const answer = await put(title);
        expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([status, null, null]);
        expect(answer.headers.get('preference-applied')).toBe('return=minimal');
      }
      expect(valueOf(await call('GET', path('a')))).toEqual({ title: 'y', likes: 0 });
      const edit = { increment: { likes: 2 } };
      expect((await call('PATCH', path('a'), edit, { ...minimal, 'if-match': '"other"' })).status).toBe(412);
      expect((await call('PATCH', path('a'), edit, minimal)).status).toBe(204);
      expect(valueOf(await call('GET', path('a')))).toEqual({ title: 'y', likes: 2 });
      expect((await call('DELETE', path('a'), undefined, minimal)).status).toBe(204);
      expect((await call('DELETE', path('a'), undefined, minimal)).status).toBe(204);
      expect((await call('DELETE', path('never'), undefined, minimal)).status).toBe(204);
      expect((await call('GET', path('a'))).status).toBe(404);
      expect((await call('PATCH', path('a'), {}, minimal)).status).toBe(201);
    },
  );

  it.each(['return=representation, return=minimal', 'respond-async', 'minimal', ''])(
    'is shown for `Prefer: %s`',
    async (prefer) => {
      const answer = await call('PUT', path('a'), { value: { title: 'x' } }, { prefer });
      expect([answer.status, answer.headers.get('preference-applied')]).toEqual([201, null]);
      expect(valueOf(answer)).toEqual({ title: 'x', likes: 0 });
    },
  );

  it('is refused without a word of a preference', async () => {
    const answer = await call('PUT', path('a'), { value: { none: 1 } }, { prefer: 'return=minimal' });
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([422, null]);
  });

  it('loses no increment of many writers at once', async () => {
    const writes = Array.from({ length: 200 }, () => call('PATCH', path('a'), { increment: { likes: 1 } }));
    const answers = await Promise.all(writes);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(valueOf(await call('GET', path('a')))).toEqual({ likes: 200 });
  });
});

describe('concurrent values', () => {
  const us = schema({ title: { type: 'register' }, status: { type: 'register' } });
  const arrive = (key: string, value: Readonly<Record<string, string>>) =>
    site.arrive(key, {
      type: us,
      edit: (editor) => {
        for (const [field, one] of Object.entries(value)) editor.set(field, one);
      },
    });

  it('are named as conflicts, and shown where asked for or where the policy says so', async () => {
    await call('PUT', path('a'), { value: { title: 'eu', status: 'eu', price: 1 } });
    await arrive('a', { title: 'us', status: 'us' });
    const read = await call('GET', path('a'));
    expect(record.parse(read.body)).toMatchObject({
      value: { title: 'us', status: 'us', price: 1 },
      conflicts: ['title', 'status'],
    });
    const both = [
      { value: 'us', region: 'us', shown: true },
      { value: 'eu', region: 'eu', shown: false },
    ];
    const shown = (answer: Answer) => record.parse(answer.body).siblings ?? {};
    expect(shown(read)).toMatchObject({ status: both });
    expect(Object.keys(shown(read))).toEqual(['status']);
    expect(shown(await call('GET', `${path('a')}?siblings=all`))).toMatchObject({
      title: both,
      status: both,
    });
  });

  it('stay when a put names the value shown, and end when a write replaces them', async () => {
    await call('PUT', path('a'), { value: { title: 'eu' } });
    await arrive('a', { title: 'us' });
    const before = await call('GET', path('a'));
    expect((await call('PUT', path('a'), { value: { title: 'us' } })).body).toEqual(before.body);
    const decided = await call('PATCH', path('a'), { set: { title: 'us' } });
    expect(record.parse(decided.body)).toMatchObject({ value: { title: 'us' }, conflicts: [] });
    expect(record.parse(decided.body).version).not.toBe(record.parse(before.body).version);
  });
});

describe('a list', () => {
  const page = z.object({ records: z.array(record), next: z.string().nullable() });
  const list = async (query: string) =>
    page.parse((await call('GET', `/v1/collections/products/records?${query}`)).body);

  it('goes through live records in byte order, page by page', async () => {
    const keys = ['a', 'b', 'z', 'é', '\uffee', '🌍'];
    for (const key of keys.toReversed()) await call('PUT', path(key), { value: {} });
    await call('PUT', path('c'), { value: {} });
    await call('DELETE', path('c'));
    const seen: string[] = [];
    let query = `prefix=${site.prefix}&limit=2`;
    for (;;) {
      const { records, next } = await list(query);
      seen.push(...records.map(({ key }) => key.slice(site.prefix.length)));
      if (next === null) break;
      query = `prefix=${site.prefix}&limit=2&cursor=${next}`;
    }
    expect(seen).toEqual(keys);
  });

  it('is empty at the end and beyond', async () => {
    expect(await list(`prefix=${site.prefix}`)).toEqual({ records: [], next: null });
  });

  it.each([
    ['limit=0', 422, 'invalid-value'],
    ['limit=1001', 422, 'invalid-value'],
    ['limit=x', 422, 'invalid-value'],
    ['limit=1&limit=2', 422, 'invalid-value'],
    ['cursor=x', 400, 'invalid-cursor'],
    ['cursor=', 400, 'invalid-cursor'],
    [`prefix=${'x'.repeat(513)}`, 422, 'invalid-value'],
    ['prefix=%00', 400, 'invalid-key'],
    ['prefix=a%00b', 400, 'invalid-key'],
    ['prefix=%ff', 400, 'invalid-key'],
    ['prefix=%ed%a0%80', 400, 'invalid-key'],
    ['prefix=%zz', 400, 'invalid-key'],
    ['prefix=%', 400, 'invalid-key'],
  ])('refuses %s', async (query, status, code) => {
    const answer = await call('GET', `/v1/collections/products/records?${query}`);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  });

  it('refuses the cursor of another list', async () => {
    for (const key of ['a', 'b']) await call('PUT', path(key), { value: {} });
    const { next } = await list(`prefix=${site.prefix}&limit=1`);
    const answer = await call('GET', `/v1/collections/profiles/records?prefix=${site.prefix}&cursor=${next}`);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'invalid-cursor']);
  });
});

describe('a batch', () => {
  const write = (key: string, rest: object) => ({ collection: 'products', key: site.prefix + key, ...rest });
  const statuses = z.object({ results: z.array(z.object({ status: z.number() })) });

  it('refuses conditions, which bind one record', async () => {
    const answer = await call('POST', '/v1/batch', { writes: [] }, { 'if-match': '"x"' });
    expect([answer.status, codeOf(answer)]).toEqual([400, 'bad-request']);
  });

  it('refuses a body that is encoded', async () => {
    const answer = await call('POST', '/v1/batch', { writes: [] }, { 'content-encoding': 'gzip' });
    expect([answer.status, codeOf(answer)]).toEqual([415, 'unsupported-media-type']);
  });

  it('does all its writes in order', async () => {
    const answer = await call('POST', '/v1/batch', {
      writes: [
        write('a', { method: 'put', value: { title: 'x' } }),
        write('a', { method: 'patch', increment: { likes: 2 } }),
        write('b', { method: 'delete' }),
        write('c', { method: 'patch', set: { title: 'c' } }),
      ],
    });
    expect(answer.status).toBe(200);
    expect(statuses.parse(answer.body).results.map(({ status }) => status)).toEqual([201, 200, 204, 201]);
    expect(valueOf(await call('GET', path('a')))).toEqual({ title: 'x', likes: 2 });
  });

  it('tells what became of each write alone where no more is wanted', async () => {
    const writes = [
      write('a', { method: 'put', value: { title: 'x' } }),
      write('a', { method: 'patch', increment: { likes: 2 } }),
      write('a', { method: 'delete' }),
    ];
    const answer = await call('POST', '/v1/batch', { writes }, { prefer: 'return=minimal' });
    expect(answer.headers.get('preference-applied')).toBe('return=minimal');
    expect(answer.body).toEqual({ results: [{ status: 201 }, { status: 204 }, { status: 204 }] });
    expect((await call('GET', path('a'))).status).toBe(404);
  });

  it('shows each record once, at the last write of it', async () => {
    const answer = await call('POST', '/v1/batch', {
      writes: [
        write('a', { method: 'put', value: { title: 'x' } }),
        write('b', { method: 'put', value: { title: 'b' } }),
        write('a', { method: 'patch', increment: { likes: 2 } }),
        write('b', { method: 'delete' }),
        write('a', { method: 'patch', increment: { likes: 3 } }),
      ],
    });
    expect(answer.body).toMatchObject({
      results: [
        { status: 201 },
        { status: 201 },
        { status: 200 },
        { status: 204 },
        { status: 200, record: { key: `${site.prefix}a`, value: { title: 'x', likes: 5 } } },
      ],
    });
    expect(JSON.stringify(answer.body).match(/"record"/g)).toHaveLength(1);
  });

  it('does none where one is refused, and names it', async () => {
    const answer = await call('POST', '/v1/batch', {
      writes: [
        write('a', { method: 'put', value: { title: 'x' } }),
        write('b', { method: 'put', value: { likes: 7 } }),
      ],
    });
    expect([answer.status, codeOf(answer)]).toEqual([422, 'wrong-operation']);
    expect(JSON.stringify(answer.body)).toContain('writes[1].value.likes');
    expect((await call('GET', path('a'))).status).toBe(404);
  });
});

describe('the admin listener', () => {
  const digest = async (collection: string) => JSON.parse((await ask(`/v1/digests/${collection}`)).text);

  it('has digests that follow what is live', async () => {
    const before = await digest('profiles');
    await call('PUT', path('a', 'profiles'), { value: { name: 'x' } });
    const after = await digest('profiles');
    expect(after.records).toBe(before.records + 1);
    expect(after.digest).toMatch(/^[0-9a-f]{32}$/);
    expect(after.digest).not.toBe(before.digest);
    await call('DELETE', path('a', 'profiles'));
    expect(await digest('profiles')).toMatchObject({ digest: before.digest, records: before.records });
  });

  it('shows a record with all that its state holds', async () => {
    await call('PUT', path('a'), { value: { title: 'x' } });
    const shown = await ask(`/v1/records/products/${encodeURIComponent(`${site.prefix}a`)}`);
    expect(shown.status).toBe(200);
    expect(shown.text).toContain('"eu.1.');
    expect((await ask('/v1/records/products/none')).status).toBe(404);
  });
});

describe('every error that can be answered', () => {
  it('has a page at its type', async () => {
    const { body } = await call('GET', path('nothing'));
    const { type } = z.object({ type: z.string() }).parse(body);
    const response = await fetch(site.apiUrl + type);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toMatch(/^not-found \(HTTP 404\)\n/);
    expect((await fetch(`${site.apiUrl}/problems/constructor`)).status).toBe(404);
  });
});

describe('a database that is gone', () => {
  it('makes writes and reads 503 with Retry-After, readiness fail, and heals by itself', async () => {
    await call('PUT', path('a'), { value: {} });
    await site.postgres.kill('SIGKILL');
    const refused = await call('PUT', path('a'), { value: { title: 'x' } });
    expect(refused.status).toBe(503);
    expect(['database-unavailable', 'outcome-unknown']).toContain(codeOf(refused));
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await call('GET', path('a'))).status).toBe(503);
    expect((await fetch(`${site.adminUrl}/readyz`)).status).toBe(503);
    await site.postgres.restart();
    await expect.poll(async () => (await call('GET', path('a'))).status, { timeout: 10_000 }).toBe(200);
    await expect
      .poll(async () => (await call('PUT', path('a'), { value: { title: 'y' } })).status, { timeout: 20_000 })
      .toBe(200);
    expect((await fetch(`${site.adminUrl}/readyz`)).status).toBe(200);
  }, 60_000);
});

describe('a process that drains', () => {
  it('is ready until it drains, and then refuses writes only', async () => {
    await call('PUT', path('a'), { value: {} });
    expect((await ask('/readyz?verbose')).text).toBe(
      '[+] database ok\n[+] migrated ok\n[+] not-draining ok\nok\n',
    );
    expect((await ask('/v1/drain', 'POST')).status).toBe(202);
    const ready = await ask('/readyz?verbose');
    expect([ready.status, ready.text.split('\n')[2]]).toEqual([
      503,
      '[-] not-draining failed: the process is being stopped',
    ]);
    expect((await ask('/livez')).status).toBe(200);
    const refused = await call('PUT', path('a'), { value: {} });
    expect([refused.status, codeOf(refused), refused.headers.get('retry-after')]).toEqual([
      503,
      'draining',
      '1',
    ]);
    expect((await call('POST', '/v1/batch', { writes: [] })).status).toBe(503);
    expect((await call('GET', path('a'))).status).toBe(200);
  });
});

/** Conflicts on the admin listener, over a real Postgres and the real journal. */
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { SessionDesk } from '@isthmus/replication/sessions/session-desk';
import { startPostgres, type Postgres } from '@isthmus/local/postgres';
import { merge, schema } from '@isthmus/conflict';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { Journal } from '@isthmus/replication/journal/journal';
import { type Actor, actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApiListener } from '../api/api-listener.ts';
import { parseDeclarations } from '../declarations.ts';
import { Drain } from '../drain.ts';
import type { Listener } from '../http/listener.ts';
import { recordTypes } from '../records/record-types.ts';
import { createAdminListener } from './admin-listener.ts';
import { Digester } from './digest.ts';
import { Readiness } from './readiness.ts';

const declared = {
  products: { fields: { title: { type: 'register' }, status: { type: 'register', resolve: 'siblings' } } },
  profiles: { deletes: 'last-writer-wins', fields: { name: { type: 'register' } } },
};
const declarations = parseDeclarations(JSON.stringify({ collections: declared }));
const eu = parseRegionId('eu');
const usActor = 'us.1.00000001';
const apActor = 'ap.1.00000002';

interface Site {
  readonly postgres: Postgres;
  readonly database: Database;
  readonly listeners: readonly Listener[];
  readonly actor: Actor;
  readonly api: string;
  readonly admin: string;
}

let site: Site;
const drain = new Drain();
let prefix = '';
let tests = 0;

beforeAll(async () => {
  const postgres = await startPostgres();
  if (eu === null || declarations.kind === 'faulty') throw new TypeError('the test is wrong');
  const database = await openDatabase({
    connectionString: postgres.url,
    region: eu,
    peers: [],
    trustsRestarts: true,
  });
  const { records: store, clock, identity } = database;
  const actor = actorOf(eu, identity.incarnation);
  const timer = systemTimer;
  const nobodyElse = {
    self: actorOf(database.identity.region, database.identity.incarnation),
    closed: new Set<never>(),
    actorOf: () => null,
  };
  const journal = new Journal({
    store,
    clock,
    actor,
    timer,
    maxWaitingEdits: 1000,
    onBatch: () => undefined,
  });
  const collections = recordTypes(declarations.declarations);
  const options = {
    region: 'eu',
    log: pino({ level: 'silent' }),
    crash: (failure: Error) => {
      throw failure;
    },
    maxConnections: 1000,
    headersTimeoutMs: 5000,
    requestTimeoutMs: 5000,
    isDraining: () => false,
  };
  const readiness = new Readiness({ drain, askDatabase: () => clock.calibrate(), timeoutMs: 1000 });
  const api = createApiListener(options, {
    collections,
    store,
    journal,
    guards: { check: () => undefined },
    drain,
    peers: { find: () => ({ kind: 'none', peers: [] }) },
    writers: nobodyElse,
    sessions: new SessionDesk({
      self: database.identity,
      store: database.sessions,
      key: Buffer.alloc(0),
      timer: systemTimer,
    }),
  });
  const admin = createAdminListener(options, {
    drain,
    readiness,
    parts: () => ({
      region: database.identity.region,
      peers: [],
      partitionCount: database.identity.partitionCount,
      guards: { check: () => undefined },
      clock,
      incidents: database.incidents,
      deadLetters: database.deadLetters,
      retrying: { letters: database.deadLetters, clock, maxDriftMs: 60_000 },
      collections,
      store,
      journal,
      digester: new Digester({ store, clock }),
      transfers: {
        donor: { answer: () => Promise.resolve({ kind: 'closed' }) },
        jobs: database.jobs,
        verifications: database.verifications,
        secret: '',
        peers: [],
      },
      identity: {
        self: identity,
        past: database.past,
        guard: null,
        incarnations: database.incarnations,
        relearning: () => null,
        retirement: { isRetired: false },
        joining: { waitsFor: [], skip: () => Promise.resolve() },
      },
      retirement: {
        self: identity.region,
        peers: [],
        retirements: database.retirements,
        incarnations: database.incarnations,
        agreeing: { word: () => Promise.resolve(null), waitsFor: () => [] },
        retirement: { isRetired: false },
      },
      rights: {
        self: identity,
        retirements: database.retirements,
        writers: nobodyElse,
        peers: [],
        peer: { ask: () => expect.fail('nobody is asked here') },
        timer: systemTimer,
      },
      unreplicated: {
        self: identity,
        peers: [],
        retirement: { isRetired: false },
        log: { subscribe: () => expect.fail('nothing reads the own log here') },
        witness: { finalOf: () => Promise.resolve(null) },
        peer: { ask: () => expect.fail('nobody is asked here') },
        beats: database.beats,
        timer: systemTimer,
      },
      status: () => Promise.resolve({}),
      metrics: () => Promise.resolve(''),
      echo: () => Promise.resolve({ echoedBeat: null, changesAgeMs: null, written: null }),
    }),
  });
  const listenOn = { host: '127.0.0.1', port: 0 };
  const [apiUrl, adminUrl] = await Promise.all([api.listen(listenOn), admin.listen(listenOn)]);
  site = { postgres, database, listeners: [api, admin], actor, api: apiUrl, admin: adminUrl };
}, 120_000);

afterAll(async () => {
  await Promise.all(site.listeners.map((listener) => listener.close()));
  await site.database.close();
  await site.postgres.stop();
});

beforeEach(() => {
  prefix = `t${++tests}-`;
});

const conflict = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]+$/),
  collection: z.string(),
  key: z.string(),
  field: z.string(),
  resolution: z.enum(['last-writer', 'siblings']),
  version: z.string(),
  siblings: z.array(
    z.strictObject({
      value: z.unknown(),
      at: z.iso.datetime(),
      region: z.string(),
      actor: z.string(),
      shown: z.boolean(),
      why: z.string().min(1),
    }),
  ),
});
const page = z.strictObject({
  conflicts: z.array(conflict),
  next: z.string().nullable(),
  scanned: z.number().int(),
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

async function call(
  url: string,
  { method = 'GET', body, headers = {} }: { method?: string; body?: unknown; headers?: object } = {},
): Promise<Answer> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers: { ...type, ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const answered = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: answered === '' ? null : JSON.parse(answered),
  };
}

const codeOf = (answer: Answer) => z.object({ code: z.string() }).parse(answer.body).code;
const refusalOf = (answer: Answer) => [answer.status, codeOf(answer)];
const recordUrl = (key: string, collection = 'products') =>
  `${site.api}/v1/collections/${collection}/records/${encodeURIComponent(prefix + key)}`;
const put = (key: string, value: object, collection = 'products') =>
  call(recordUrl(key, collection), { method: 'PUT', body: { value } });
const list = (query = '') => call(`${site.admin}/v1/conflicts${query}`);
const pageOf = async (query = '') => page.parse((await list(query)).body);
const ofKey = (key: string, collection = 'products') =>
  `?collection=${collection}&key=${encodeURIComponent(prefix + key)}`;
const conflictsOf = async (key: string, collection = 'products') =>
  (await pageOf(ofKey(key, collection))).conflicts;
const restoring = (id: string, body?: unknown, rest: { query?: string; headers?: object } = {}) =>
  call(`${site.admin}/v1/conflicts/${id}/restore${rest.query ?? ''}`, {
    method: 'POST',
    ...(body === undefined ? {} : { body }),
    ...(rest.headers === undefined ? {} : { headers: rest.headers }),
  });

const types = {
  products: schema({ title: { type: 'register' }, status: { type: 'register' } }),
  profiles: schema({ name: { type: 'register' } }, { deletes: 'last-writer-wins' }),
};

interface Arrival {
  readonly collection?: 'products' | 'profiles';
  readonly actor?: string;
  readonly aheadMs?: number;
}

/** What another region wrote without having seen our write arrives; by its clock it is the later one. */
async function arrive(
  key: string,
  value: Readonly<Record<string, unknown>>,
  from: Arrival = {},
): Promise<void> {
  const { collection = 'products', actor = usActor, aheadMs = 60_000 } = from;
  const now = Math.floor(site.database.clock.nowMs()) + aheadMs;
  const { delta } = types[collection].edit(new Uint8Array(), { actor, now }, (editor) => {
    for (const [field, one] of Object.entries(value)) editor.set([field], one);
  });
  await site.database.records.commitLocal({
    ids: [{ collection, key: prefix + key }],
    decide: ({ states }) => [{ index: 0, state: merge(states[0] ?? new Uint8Array(), delta).state, delta }],
  });
}

/** The conflict of a title that says eu here and us elsewhere. */
async function titleConflict(key: string) {
  await put(key, { title: 'eu' });
  await arrive(key, { title: 'us' });
  const [found] = await conflictsOf(key);
  if (found === undefined) return expect.fail('there is a conflict');
  return found;
}

async function stored(): Promise<readonly string[]> {
  const rows: string[] = [];
  for (const collection of ['products', 'profiles', 'gone'])
    for await (const chunk of site.database.records.scan(collection))
      for (const row of chunk) rows.push(`${row.key} ${Buffer.from(row.state).toString('hex')}`);
  return rows;
}

describe('the list', () => {
  it('has every field with several live values, with who wrote each, and why one is shown', async () => {
    await put('a', { title: 'eu', status: 'eu' });
    await arrive('a', { title: 'us', status: 'us' });
    await put('quiet', { title: 'x' });
    const found = await conflictsOf('a');
    expect(found.map(({ field, resolution }) => [field, resolution])).toEqual([
      ['status', 'siblings'],
      ['title', 'last-writer'],
    ]);
    expect(found[1]).toMatchObject({
      collection: 'products',
      key: `${prefix}a`,
      siblings: [
        { value: 'us', region: 'us', actor: usActor, shown: true },
        { value: 'eu', region: 'eu', actor: site.actor, shown: false },
      ],
    });
    expect(found[1]?.siblings.map(({ why }) => why)).toEqual([
      expect.stringMatching(/^it is later by \d+ ms$/),
      expect.stringMatching(/^concurrent with what us\.1\.00000001 wrote at .*, which is later by \d+ ms$/),
    ]);
    expect(await conflictsOf('quiet')).toEqual([]);
    expect(await conflictsOf('absent')).toEqual([]);
  });

  it('gives each conflict once, page by page, over all collections', async () => {
    const keys = ['a', 'b', 'c/é', '🌍'];
    for (const key of keys) {
      await put(key, { title: 'eu', status: 'eu' });
      await arrive(key, { title: 'us', status: 'us' });
    }
    await put('p', { name: 'eu' }, 'profiles');
    await arrive('p', { name: 'us' }, { collection: 'profiles' });
    const seen: string[] = [];
    let query = '?limit=1';
    for (;;) {
      const { conflicts, next } = await pageOf(query);
      expect(conflicts.length).toBeLessThanOrEqual(1);
      for (const { collection, key, field } of conflicts)
        if (key.startsWith(prefix)) seen.push(`${collection} ${key.slice(prefix.length)} ${field}`);
      if (next === null) break;
      query = `?limit=1&after=${next}`;
    }
    const inProducts = keys.flatMap((key) => [`products ${key} status`, `products ${key} title`]);
    expect(seen).toEqual([...inProducts, 'profiles p name']);
  });

  it('is of one collection, or of one key, where that is asked for', async () => {
    await titleConflict('a');
    await titleConflict('ab');
    const ours = async (query: string) =>
      (await pageOf(query)).conflicts.filter(({ key }) => key.startsWith(prefix)).map(({ key }) => key);
    expect(await ours('?collection=products&limit=1000')).toEqual([`${prefix}a`, `${prefix}ab`]);
    expect(await ours('?collection=profiles&limit=1000')).toEqual([]);
    expect(await ours(ofKey('a'))).toEqual([`${prefix}a`]);
  });

  it('goes on in a record whose conflicts were resolved meanwhile', async () => {
    await put('a', { title: 'eu', status: 'eu' });
    await arrive('a', { title: 'us', status: 'us' });
    await titleConflict('b');
    const first = await pageOf(`${ofKey('a')}&limit=1`);
    expect(first).toMatchObject({ conflicts: [{ field: 'status' }], next: expect.any(String) });
    await restoring(first.conflicts[0]?.id ?? '');
    const second = await pageOf(`${ofKey('a')}&limit=1&after=${first.next}`);
    expect(second).toMatchObject({ conflicts: [{ field: 'title' }], next: null });
  });

  it('reads no records but those that may be in conflict, and says how many', async () => {
    const { scanned } = await pageOf('?collection=products');
    await put('calm', { title: 'x' });
    await titleConflict('split');
    expect((await pageOf('?collection=products')).scanned).toBe(scanned + 1);
    await restoring((await pageOf(ofKey('split'))).conflicts[0]?.id ?? '');
    expect((await pageOf('?collection=products')).scanned).toBe(scanned);
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
    expect(refusalOf(await list(query))).toEqual([status, code]);
  });

  it('refuses a cursor with another filter, and takes one to nowhere as an end or a beginning', async () => {
    await put('a', { title: 'eu', status: 'eu' });
    await arrive('a', { title: 'us', status: 'us' });
    const { next } = await pageOf('?limit=1');
    expect(refusalOf(await list(`?collection=products&after=${next}`))).toEqual([400, 'invalid-cursor']);
    const forged = (...parts: string[]) => Buffer.from(parts.join('\0')).toString('base64url');
    const elsewhere = forged('products', '', 'profiles', 'a', '');
    expect(refusalOf(await list(`?collection=products&after=${elsewhere}`))).toEqual([400, 'invalid-cursor']);
    const otherKey = forged('products', 'a', 'products', 'b', 'title');
    expect(refusalOf(await list(`?collection=products&key=a&after=${otherKey}`))).toEqual([
      400,
      'invalid-cursor',
    ]);
    const atEnd = await pageOf(`?after=${forged('', '', 'zzz', 'k', 'f')}`);
    expect(atEnd).toEqual({ conflicts: [], next: null, scanned: 0 });
    const odd = await list(`?limit=1000&after=${forged('', '', 'nowhere', '\u0085', '\0')}`);
    expect(odd.status).toBe(200);
  });
});

describe('one conflict', () => {
  it('is found by its id, until a write has seen its values', async () => {
    const found = await titleConflict('a');
    const url = `${site.admin}/v1/conflicts/${found.id}`;
    expect((await call(url)).body).toEqual(found);
    await call(recordUrl('a'), { method: 'PATCH', body: { set: { title: 'both' } } });
    expect(refusalOf(await call(url))).toEqual([404, 'not-found']);
  });

  it('has the id that its names give, and no other', async () => {
    const { id } = await titleConflict('k');
    const text = Buffer.from(id, 'base64url').toString();
    expect(text).toBe(`products\0${prefix}k\0title`);
  });
});

describe('a restore', () => {
  it('shows the one hidden value, durably, and ends the conflict', async () => {
    const { id } = await titleConflict('a');
    const restored = await restoring(id);
    expect([restored.status, restored.body]).toMatchObject([200, { value: { title: 'eu' }, conflicts: [] }]);
    const read = await call(recordUrl('a'));
    expect(read.body).toEqual(restored.body);
    expect(restored.headers.get('etag')).toBe(read.headers.get('etag'));
    expect(await conflictsOf('a')).toEqual([]);
    const raw = await call(`${site.admin}/v1/records/products/${prefix}a`);
    expect(JSON.stringify(raw.body)).not.toContain('"us"');
  });

  it.each<[string, () => object, unknown]>([
    ['the actor', () => ({ actor: site.actor }), 'eu'],
    ['the region', () => ({ region: 'eu' }), 'eu'],
    ['the actor and its region', () => ({ actor: usActor, region: 'us' }), 'us'],
    ['the one that is shown', () => ({ region: 'us' }), 'us'],
  ])('takes %s, also of three values', async (_name, body, title) => {
    await put('a', { title: 'eu' });
    await arrive('a', { title: 'us' });
    await arrive('a', { title: 'ap' }, { actor: apActor, aheadMs: 70_000 });
    const [found] = await conflictsOf('a');
    expect(found?.siblings).toHaveLength(3);
    const id = found?.id ?? '';
    expect(refusalOf(await restoring(id))).toEqual([422, 'invalid-value']);
    expect((await restoring(id, body())).body).toMatchObject({ value: { title }, conflicts: [] });
  });

  it('wants the actor where two are of one region', async () => {
    await put('a', { title: 'eu' });
    await arrive('a', { title: 'us' });
    await arrive('a', { title: 'us later' }, { actor: 'us.2.0000000a' });
    const [found] = await conflictsOf('a');
    const id = found?.id ?? '';
    const refused = await restoring(id, { region: 'us' });
    expect(refusalOf(refused)).toEqual([422, 'invalid-value']);
    expect(JSON.stringify(refused.body)).toContain('us.2.0000000a');
    expect((await restoring(id, { actor: usActor })).body).toMatchObject({ value: { title: 'us' } });
  });

  it('keeps any value as it was, also in a collection where the last writer wins', async () => {
    const value = JSON.parse('{"__proto__":{"x":1},"a":[null,-1.5e-7,"\\u0000"]}');
    await put('a', { name: value }, 'profiles');
    await arrive('a', { name: null }, { collection: 'profiles' });
    const [found] = await conflictsOf('a', 'profiles');
    const restored = await restoring(found?.id ?? '', { region: 'eu' });
    expect(z.object({ value: z.unknown() }).parse(restored.body).value).toEqual({ name: value });
    expect(await conflictsOf('a', 'profiles')).toEqual([]);
  });

  it('leaves other conflicts of the record alone', async () => {
    await put('a', { title: 'eu', status: 'eu' });
    await arrive('a', { title: 'us', status: 'us' });
    const [status] = await conflictsOf('a');
    const restored = await restoring(status?.id ?? '');
    expect(restored.body).toMatchObject({ value: { title: 'us', status: 'eu' }, conflicts: ['title'] });
  });

  it('in a dry run answers what would be shown, and leaves every byte', async () => {
    const { id } = await titleConflict('a');
    const before = await stored();
    const dry = await restoring(id, { region: 'eu' }, { query: '?dryRun=true' });
    expect([dry.status, dry.body]).toMatchObject([
      200,
      { dryRun: true, value: { title: 'eu' }, conflicts: [] },
    ]);
    expect(await stored()).toEqual(before);
    expect(refusalOf(await restoring(id, { region: 'mars' }, { query: '?dryRun=true' }))).toEqual([
      404,
      'not-found',
    ]);
    expect((await restoring(id, undefined, { query: '?dryRun=false' })).status).toBe(200);
    expect(await stored()).not.toEqual(before);
  });

  it('comes too late where a write has ended the conflict since it was listed', async () => {
    const { id } = await titleConflict('a');
    await call(recordUrl('a'), { method: 'PATCH', body: { set: { title: 'decided' } } });
    const before = await stored();
    expect(refusalOf(await restoring(id, { region: 'us' }))).toEqual([404, 'not-found']);
    await call(recordUrl('a'), { method: 'DELETE' });
    expect(refusalOf(await restoring(id, { region: 'us' }))).toEqual([404, 'not-found']);
    expect(await stored()).not.toEqual(before);
    expect((await call(recordUrl('a'))).status).toBe(404);
  });

  it('is made once where several ask at the same time', async () => {
    const { id } = await titleConflict('a');
    const answers = await Promise.all(Array.from({ length: 8 }, () => restoring(id, { region: 'eu' })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 404),
    ]);
  });

  it('honours If-Match with the version that the list gave', async () => {
    const { id, version } = await titleConflict('a');
    await call(recordUrl('a'), { method: 'PATCH', body: { set: { status: 'new' } } });
    const headers = { 'if-match': `"${version}"` };
    expect(refusalOf(await restoring(id, {}, { headers }))).toEqual([412, 'precondition-failed']);
    const [again] = await conflictsOf('a');
    const current = { 'if-match': `"${again?.version ?? ''}"` };
    expect((await restoring(id, {}, { headers: current })).status).toBe(200);
  });

  const idOf = (...parts: string[]) => Buffer.from(parts.join('\0')).toString('base64url');
  it.each<[string, () => string, unknown, number, string]>([
    ['an id of other bytes', () => 'x', {}, 404, 'not-found'],
    ['an id that is not base64url', () => '%2e%2e%2fx', {}, 404, 'not-found'],
    ['an id with padding', () => `${idOf('products', 'a', 'title')}=`, {}, 404, 'not-found'],
    [
      'an id that is not UTF-8',
      () => Buffer.from([0xff, 0, 0xff, 0]).toString('base64url'),
      {},
      404,
      'not-found',
    ],
    ['an id too long', () => 'A'.repeat(5000), {}, 400, 'invalid-key'],
    ['an undeclared collection', () => idOf('gone', 'a', 'title'), {}, 404, 'unknown-collection'],
    ['a collection of a prototype', () => idOf('__proto__', 'a', 'title'), {}, 404, 'unknown-collection'],
    ['another collection', () => idOf('profiles', `${prefix}h`, 'title'), {}, 404, 'not-found'],
    ['an undeclared field', () => idOf('products', `${prefix}h`, 'constructor'), {}, 404, 'not-found'],
    ['no field', () => idOf('products', `${prefix}h`, ''), {}, 404, 'not-found'],
    ['a longer field', () => idOf('products', `${prefix}h`, 'title', 'x'), {}, 404, 'not-found'],
    ['another key', () => idOf('products', `${prefix}other`, 'title'), {}, 404, 'not-found'],
    ['an empty key', () => idOf('products', '', 'title'), {}, 400, 'invalid-key'],
    ['the key ..', () => idOf('products', '..', 'title'), {}, 400, 'invalid-key'],
    ['a key with a control character', () => idOf('products', 'a\u0085', 'title'), {}, 400, 'invalid-key'],
    ['a body that is no object', () => idOf('products', `${prefix}h`, 'title'), [], 422, 'invalid-value'],
    ['a member too many', () => idOf('products', `${prefix}h`, 'title'), { value: 1 }, 422, 'invalid-value'],
    [
      'a member of a prototype',
      () => idOf('products', `${prefix}h`, 'title'),
      '{"__proto__":{"actor":"x"}}',
      422,
      'invalid-value',
    ],
    [
      'an actor that is no text',
      () => idOf('products', `${prefix}h`, 'title'),
      { actor: 1 },
      422,
      'invalid-value',
    ],
    ['a region null', () => idOf('products', `${prefix}h`, 'title'), { region: null }, 422, 'invalid-value'],
    [
      'an actor of no sibling',
      () => idOf('products', `${prefix}h`, 'title'),
      { actor: apActor },
      404,
      'not-found',
    ],
    [
      'an actor of another region',
      () => idOf('products', `${prefix}h`, 'title'),
      { actor: usActor, region: 'eu' },
      404,
      'not-found',
    ],
    ['a body that is not JSON', () => idOf('products', `${prefix}h`, 'title'), '{', 400, 'malformed-json'],
  ])('of %s is refused and nothing is written', async (_name, id, body, status, code) => {
    await titleConflict('h');
    const before = await stored();
    expect(refusalOf(await restoring(id(), body))).toEqual([status, code]);
    expect(await stored()).toEqual(before);
  });

  it('takes true or false for a dry run and nothing else', async () => {
    const { id } = await titleConflict('a');
    const before = await stored();
    for (const query of ['?dryRun=yes', '?dryRun=', '?dryRun=true&dryRun=true', '?dryRun=TRUE'])
      expect(refusalOf(await restoring(id, {}, { query }))).toEqual([422, 'invalid-value']);
    expect(await stored()).toEqual(before);
    expect((await call(`${site.admin}/v1/conflicts/${id}/restore`)).status).toBe(405);
  });
});

describe('a page of records', () => {
  it('has the siblings of every field where they are asked for', async () => {
    await titleConflict('a');
    const url = `${site.api}/v1/collections/products/records?prefix=${prefix}`;
    expect((await call(url)).body).toMatchObject({ records: [{ conflicts: ['title'] }] });
    expect(JSON.stringify((await call(url)).body)).not.toContain('siblings');
    expect((await call(`${url}&siblings=all`)).body).toMatchObject({
      records: [{ siblings: { title: [{ value: 'us', region: 'us', shown: true }, { value: 'eu' }] } }],
    });
    expect(refusalOf(await call(`${url}&siblings=some`))).toEqual([422, 'invalid-value']);
  });
});

describe('a process that drains', () => {
  it('refuses a restore and still answers what it would show', async () => {
    const { id } = await titleConflict('a');
    const before = await stored();
    drain.start();
    expect(refusalOf(await restoring(id))).toEqual([503, 'draining']);
    expect(await stored()).toEqual(before);
    expect((await restoring(id, undefined, { query: '?dryRun=true' })).status).toBe(200);
  });
});

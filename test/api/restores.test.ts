/** Restoring what lost a conflict, over a real Postgres and the real journal. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Drain } from '@isthmus/region/drain';
import { z } from 'zod';
import { Conflicts, apActor, call, declared, refusalOf } from './conflict-calls.ts';
import { type Site, startSite, usActor } from './site.ts';

let site: Site;
let conflicts: Conflicts;
const drain = new Drain();

beforeAll(async () => {
  site = await startSite(declared, drain);
  conflicts = new Conflicts(site);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

describe('a restore', () => {
  it('shows the one hidden value, durably, and ends the conflict', async () => {
    const { id } = await conflicts.ofTitle('a');
    const restored = await conflicts.restore(id);
    expect([restored.status, restored.body]).toMatchObject([200, { value: { title: 'eu' }, conflicts: [] }]);
    const read = await call(conflicts.recordUrl('a'));
    expect(read.body).toEqual(restored.body);
    expect(restored.headers.get('etag')).toBe(read.headers.get('etag'));
    expect(await conflicts.of('a')).toEqual([]);
    const raw = await call(`${site.adminUrl}/v1/records/products/${site.prefix}a`);
    expect(JSON.stringify(raw.body)).not.toContain('"us"');
  });

  it.each<[string, () => object, unknown]>([
    ['the actor', () => ({ actor: site.actor }), 'eu'],
    ['the region', () => ({ region: 'eu' }), 'eu'],
    ['the actor and its region', () => ({ actor: usActor, region: 'us' }), 'us'],
    ['the one that is shown', () => ({ region: 'us' }), 'us'],
  ])('takes %s, also of three values', async (_name, body, title) => {
    await site.put('a', { title: 'eu' });
    await conflicts.arrive('a', { title: 'us' });
    await conflicts.arrive('a', { title: 'ap' }, { actor: apActor, aheadMs: 70_000 });
    const [found] = await conflicts.of('a');
    expect(found?.siblings).toHaveLength(3);
    const id = found?.id ?? '';
    expect(refusalOf(await conflicts.restore(id))).toEqual([422, 'invalid-value']);
    expect((await conflicts.restore(id, body())).body).toMatchObject({ value: { title }, conflicts: [] });
  });

  it('wants the actor where two are of one region', async () => {
    await site.put('a', { title: 'eu' });
    await conflicts.arrive('a', { title: 'us' });
    await conflicts.arrive('a', { title: 'us later' }, { actor: 'us.2.0000000a' });
    const [found] = await conflicts.of('a');
    const id = found?.id ?? '';
    const refused = await conflicts.restore(id, { region: 'us' });
    expect(refusalOf(refused)).toEqual([422, 'invalid-value']);
    expect(JSON.stringify(refused.body)).toContain('us.2.0000000a');
    expect((await conflicts.restore(id, { actor: usActor })).body).toMatchObject({ value: { title: 'us' } });
  });

  it('keeps any value as it was, also in a collection where the last writer wins', async () => {
    const value = JSON.parse('{"__proto__":{"x":1},"a":[null,-1.5e-7,"\\u0000"]}');
    await site.put('a', { name: value }, 'profiles');
    await conflicts.arrive('a', { name: null }, { collection: 'profiles' });
    const [found] = await conflicts.of('a', 'profiles');
    const restored = await conflicts.restore(found?.id ?? '', { region: 'eu' });
    expect(z.object({ value: z.unknown() }).parse(restored.body).value).toEqual({ name: value });
    expect(await conflicts.of('a', 'profiles')).toEqual([]);
  });

  it('leaves other conflicts of the record alone', async () => {
    await site.put('a', { title: 'eu', status: 'eu' });
    await conflicts.arrive('a', { title: 'us', status: 'us' });
    const [status] = await conflicts.of('a');
    const restored = await conflicts.restore(status?.id ?? '');
    expect(restored.body).toMatchObject({ value: { title: 'us', status: 'eu' }, conflicts: ['title'] });
  });

  it('in a dry run answers what would be shown, and leaves every byte', async () => {
    const { id } = await conflicts.ofTitle('a');
    const before = await conflicts.stored();
    const dry = await conflicts.restore(id, { region: 'eu' }, { query: '?dryRun=true' });
    expect([dry.status, dry.body]).toMatchObject([
      200,
      { dryRun: true, value: { title: 'eu' }, conflicts: [] },
    ]);
    expect(await conflicts.stored()).toEqual(before);
    expect(refusalOf(await conflicts.restore(id, { region: 'mars' }, { query: '?dryRun=true' }))).toEqual([
      404,
      'not-found',
    ]);
    expect((await conflicts.restore(id, undefined, { query: '?dryRun=false' })).status).toBe(200);
    expect(await conflicts.stored()).not.toEqual(before);
  });

  it('comes too late where a write has ended the conflict since it was listed', async () => {
    const { id } = await conflicts.ofTitle('a');
    await call(conflicts.recordUrl('a'), { method: 'PATCH', body: { set: { title: 'decided' } } });
    const before = await conflicts.stored();
    expect(refusalOf(await conflicts.restore(id, { region: 'us' }))).toEqual([404, 'not-found']);
    await call(conflicts.recordUrl('a'), { method: 'DELETE' });
    expect(refusalOf(await conflicts.restore(id, { region: 'us' }))).toEqual([404, 'not-found']);
    expect(await conflicts.stored()).not.toEqual(before);
    expect((await call(conflicts.recordUrl('a'))).status).toBe(404);
  });

  it('is made once where several ask at the same time', async () => {
    const { id } = await conflicts.ofTitle('a');
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => conflicts.restore(id, { region: 'eu' })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 7 }, () => 404),
    ]);
  });

  it('honours If-Match with the version that the list gave', async () => {
    const { id, version } = await conflicts.ofTitle('a');
    await call(conflicts.recordUrl('a'), { method: 'PATCH', body: { set: { status: 'new' } } });
    const headers = { 'if-match': `"${version}"` };
    expect(refusalOf(await conflicts.restore(id, {}, { headers }))).toEqual([412, 'precondition-failed']);
    const [again] = await conflicts.of('a');
    const current = { 'if-match': `"${again?.version ?? ''}"` };
    expect((await conflicts.restore(id, {}, { headers: current })).status).toBe(200);
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
    ['another collection', () => idOf('profiles', `${site.prefix}h`, 'title'), {}, 404, 'not-found'],
    ['an undeclared field', () => idOf('products', `${site.prefix}h`, 'constructor'), {}, 404, 'not-found'],
    ['no field', () => idOf('products', `${site.prefix}h`, ''), {}, 404, 'not-found'],
    ['a longer field', () => idOf('products', `${site.prefix}h`, 'title', 'x'), {}, 404, 'not-found'],
    ['another key', () => idOf('products', `${site.prefix}other`, 'title'), {}, 404, 'not-found'],
    ['an empty key', () => idOf('products', '', 'title'), {}, 400, 'invalid-key'],
    ['the key ..', () => idOf('products', '..', 'title'), {}, 400, 'invalid-key'],
    ['a key with a control character', () => idOf('products', 'a\u0085', 'title'), {}, 400, 'invalid-key'],
    [
      'a body that is no object',
      () => idOf('products', `${site.prefix}h`, 'title'),
      [],
      422,
      'invalid-value',
    ],
    [
      'a member too many',
      () => idOf('products', `${site.prefix}h`, 'title'),
      { value: 1 },
      422,
      'invalid-value',
    ],
    [
      'a member of a prototype',
      () => idOf('products', `${site.prefix}h`, 'title'),
      '{"__proto__":{"actor":"x"}}',
      422,
      'invalid-value',
    ],
    [
      'an actor that is no text',
      () => idOf('products', `${site.prefix}h`, 'title'),
      { actor: 1 },
      422,
      'invalid-value',
    ],
    [
      'a region null',
      () => idOf('products', `${site.prefix}h`, 'title'),
      { region: null },
      422,
      'invalid-value',
    ],
    [
      'an actor of no sibling',
      () => idOf('products', `${site.prefix}h`, 'title'),
      { actor: apActor },
      404,
      'not-found',
    ],
    [
      'an actor of another region',
      () => idOf('products', `${site.prefix}h`, 'title'),
      { actor: usActor, region: 'eu' },
      404,
      'not-found',
    ],
    [
      'a body that is not JSON',
      () => idOf('products', `${site.prefix}h`, 'title'),
      '{',
      400,
      'malformed-json',
    ],
  ])('of %s is refused and nothing is written', async (_name, id, body, status, code) => {
    await conflicts.ofTitle('h');
    const before = await conflicts.stored();
    expect(refusalOf(await conflicts.restore(id(), body))).toEqual([status, code]);
    expect(await conflicts.stored()).toEqual(before);
  });

  it('takes true or false for a dry run and nothing else', async () => {
    const { id } = await conflicts.ofTitle('a');
    const before = await conflicts.stored();
    for (const query of ['?dryRun=yes', '?dryRun=', '?dryRun=true&dryRun=true', '?dryRun=TRUE'])
      expect(refusalOf(await conflicts.restore(id, {}, { query }))).toEqual([422, 'invalid-value']);
    expect(await conflicts.stored()).toEqual(before);
    expect((await call(`${site.adminUrl}/v1/conflicts/${id}/restore`)).status).toBe(405);
  });
});

describe('a process that drains', () => {
  it('refuses a restore and still answers what it would show', async () => {
    const { id } = await conflicts.ofTitle('a');
    const before = await conflicts.stored();
    drain.start();
    expect(refusalOf(await conflicts.restore(id))).toEqual([503, 'draining']);
    expect(await conflicts.stored()).toEqual(before);
    expect((await conflicts.restore(id, undefined, { query: '?dryRun=true' })).status).toBe(200);
  });
});

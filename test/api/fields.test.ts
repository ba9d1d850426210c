/** Every type of field through the API: what each operation does, and what a PUT writes of it. */
import { type Schema, map, register, schema, text } from '@isthmus/conflict';
import { yjsText } from '@isthmus/conflict/text';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type Site, problemOf, record, startSite, usActor, valueOf } from './site.ts';

const collections = {
  products: {
    fields: {
      title: { type: 'register' },
      status: { type: 'register', resolve: 'siblings' },
      tags: { type: 'set' },
      banned: { type: 'set', bias: 'remove' },
      likes: { type: 'counter' },
      stock: { type: 'bounded-counter', min: 2 },
      address: {
        type: 'map',
        fields: {
          city: { type: 'register', resolve: 'siblings' },
          zip: { type: 'register' },
          visits: { type: 'counter' },
          geo: { type: 'map', fields: { lat: { type: 'register' } } },
        },
      },
      labels: { type: 'map', of: { type: 'register' } },
      shelves: { type: 'map', of: { type: 'bounded-counter' } },
      notes: { type: 'text' },
    },
  },
};
const empty = { tags: [], banned: [], likes: 0, stock: 2, notes: '' };

let site: Site;

beforeAll(async () => {
  site = await startSite(collections);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

const patched = async (edits: unknown) => {
  const answer = await site.patch('a', edits);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return valueOf(answer);
};
const versionOf = (answer: Answer) => record.parse(answer.body).version;

describe('a patch', () => {
  it('adds to sets and removes from them, in canonical order', async () => {
    await patched({ add: { tags: ['b', 'a', 10, 9, true, 'a'], banned: ['x'] } });
    expect(await patched({})).toEqual({ ...empty, tags: [true, 9, 10, 'a', 'b'], banned: ['x'] });
    const value = await patched({ remove: { tags: ['a', 9, 'never'], banned: ['x'] } });
    expect(value).toEqual({ ...empty, tags: [true, 10, 'b'] });
    expect(await patched({ clear: ['tags'] })).toEqual(empty);
  });

  it('refills and spends a bounded counter down to its minimum and no further', async () => {
    expect(await patched({ refill: { stock: 5 } })).toEqual({ ...empty, stock: 7 });
    expect(await patched({ spend: { stock: 5 } })).toEqual({ ...empty, stock: 2 });
    const refused = await site.patch('a', { set: { title: 'x' }, spend: { stock: 3 } });
    expect(refused.status).toBe(409);
    expect(problemOf(refused)).toMatchObject({
      code: 'insufficient-rights',
      have: 0,
      need: 3,
      violations: [{ field: 'spend.stock', rule: 'rights', limit: 0, value: 3 }],
    });
    expect(valueOf(await site.get('a')), 'all or nothing').toEqual({ ...empty, stock: 2 });
  });

  it('moves rights to the actor of a peer, which alone may spend them', async () => {
    await patched({ refill: { stock: 5 } });
    expect(await patched({ moveRights: { stock: { to: 'us', amount: 4 } } })).toMatchObject({ stock: 7 });
    const refused = await site.patch('a', { spend: { stock: 2 } });
    expect(problemOf(refused)).toMatchObject({ code: 'insufficient-rights', have: 1, need: 2 });
    await site.arrive('a', { type: us, seen: true, edit: (editor) => editor.spend('stock', 4) });
    expect(valueOf(await site.get('a'))).toMatchObject({ stock: 3 });
    const spend = site.arrive('a', { type: us, seen: true, edit: (editor) => editor.spend('stock', 1) });
    await expect(spend).rejects.toMatchObject({ code: 'insufficient-rights', have: 0 });
    expect(usActor).toMatch(/^us\./);
  });

  it.each([
    ['itself', 'eu', 422, 'invalid-value', /which are us, ap/],
    ['a region that is no peer', 'mars', 422, 'invalid-value', /which are us, ap/],
    ['a prototype', '__proto__', 422, 'invalid-value', /which are us, ap/],
    ['a peer that was never heard', 'ap', 503, 'peer-not-heard', /nothing has arrived from ap/i],
  ] as const)('moves no rights to %s', async (_what, to, status, code, detail) => {
    await patched({ refill: { stock: 5 } });
    const refused = await site.patch('a', { moveRights: { stock: { to, amount: 1 } } });
    expect(refused.status).toBe(status);
    expect(problemOf(refused)).toMatchObject({ code, violations: [{ field: 'moveRights.stock.to' }] });
    expect(problemOf(refused).detail).toMatch(detail);
    expect(refused.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
  });

  it('splices texts at positions of before the edit, in UTF-16 units', async () => {
    expect(await patched({ splice: { notes: [{ at: 0, insert: 'one 🌍 three' }] } })).toMatchObject({
      notes: 'one 🌍 three',
    });
    const edits = [{ at: 7, insert: 'and ' }, { at: 0, delete: 3, insert: 'two' }, { at: 12 }];
    expect(await patched({ splice: { notes: edits } })).toMatchObject({ notes: 'two 🌍 and three' });
    const split = await site.patch('a', { splice: { notes: [{ at: 5, insert: 'x' }] } });
    expect(problemOf(split)).toMatchObject({
      code: 'invalid-value',
      violations: [{ field: 'splice.notes' }],
    });
    const beyond = await site.patch('a', { splice: { notes: [{ at: 99 }] } });
    expect([beyond.status, problemOf(beyond).violations[0]?.rule]).toEqual([422, 'within-text']);
    expect(await patched({ clear: ['notes'] })).toEqual(empty);
  });

  it('takes a thousand splices in one request and no more, whatever writes they are in', async () => {
    const splices = (count: number) =>
      Array.from({ length: count }, (_, at) => ({ at, delete: 1, insert: 'b' }));
    await site.put('a', { notes: 'a'.repeat(1_500) });
    const faultOf = (answer: Answer) => [answer.status, problemOf(answer).code, problemOf(answer).violations];
    const fault = { rule: 'max-splices', limit: 1_000 };
    expect(faultOf(await site.patch('a', { splice: { notes: splices(1_001) } }))).toEqual([
      422,
      'invalid-value',
      [{ ...fault, field: 'splice.notes', value: 1_001 }],
    ]);
    const half = { method: 'patch', collection: 'products', key: 'a', splice: { notes: splices(600) } };
    const batch = await site.call('POST', '/v1/batch', { writes: [half, half] });
    expect(faultOf(batch)).toEqual([
      422,
      'invalid-value',
      [{ ...fault, field: 'writes[1].splice.notes', value: 1_200 }],
    ]);
    const notes = 'b'.repeat(1_000) + 'a'.repeat(500);
    expect(await patched({ splice: { notes: splices(1_000) } })).toEqual({ ...empty, notes });
  });

  it('reaches members of maps by their paths, escaped where a name holds a dot', async () => {
    const value = await patched({
      set: { 'address.city': 'Rome', 'address.geo.lat': 41.9, 'labels.a\\.b\\\\c': 1, 'labels.': 2 },
      increment: { 'address.visits': 2 },
      refill: { 'shelves.left': 3 },
    });
    const address = { city: 'Rome', visits: 2, geo: { lat: 41.9 } };
    const labels = { 'a.b\\c': 1, '': 2 };
    expect(value).toEqual({ ...empty, address, labels, shelves: { left: 3 } });
    const cleared = await patched({ clear: ['address.geo', 'labels.a\\.b\\\\c', 'shelves'] });
    expect(cleared).toEqual({ ...empty, address: { city: 'Rome', visits: 2 }, labels: { '': 2 } });
    expect(await patched({ clear: ['address', 'labels'] })).toEqual(empty);
  });

  it('keeps members of open maps apart from prototypes', async () => {
    const set = JSON.parse('{"labels.__proto__":{"polluted":1},"labels.constructor":2}');
    const { labels } = await patched({ set });
    expect(Object.entries(Object(labels))).toEqual([
      ['__proto__', { polluted: 1 }],
      ['constructor', 2],
    ]);
    const read = await site.get('a');
    const again = await site.call('PUT', site.path('a'), `{"value":${JSON.stringify(valueOf(read))}}`);
    expect(again.body).toEqual(read.body);
    expect('polluted' in {}).toBe(false);
  });

  it('names every fault of one code, with the nearest name', async () => {
    const refused = await site.patch('a', {
      set: { 'address.cty': 1, 'labels.x.y': 2, titel: 3 },
      clear: ['nothing'],
    });
    expect(problemOf(refused)).toMatchObject({
      code: 'unknown-field',
      detail: 'The map address has no member "cty". Did you mean city?',
    });
    expect(problemOf(refused).violations.map(({ field }) => field)).toEqual([
      'set.address.cty',
      'set.labels.x.y',
      'set.titel',
      'clear[0]',
    ]);
  });

  it('sets also what is equal already', async () => {
    await patched({ set: { title: 'x', 'address.city': 'Rome' } });
    const before = versionOf(await site.get('a'));
    await patched({ set: { 'address.city': 'Rome' } });
    expect(versionOf(await site.get('a'))).not.toBe(before);
  });

  it('in a batch names the write and its rights', async () => {
    const write = { collection: 'products', key: `${site.prefix}b`, method: 'patch' };
    const refused = await site.call('POST', '/v1/batch', {
      writes: [
        { ...write, refill: { stock: 1 } },
        { ...write, spend: { stock: 2 } },
      ],
    });
    expect(problemOf(refused)).toMatchObject({
      code: 'insufficient-rights',
      have: 1,
      need: 2,
      violations: [{ field: 'writes[1].spend.stock' }],
    });
    const unheard = await site.call('POST', '/v1/batch', {
      writes: [{ ...write, moveRights: { stock: { to: 'mars', amount: 1 } } }],
    });
    expect(problemOf(unheard).violations[0]?.field).toBe('writes[0].moveRights.stock.to');
  });
});

describe('a put', () => {
  const whole = {
    title: 'x',
    tags: ['a', 'b'],
    banned: ['z'],
    address: { city: 'Rome', geo: { lat: 1 } },
    labels: { k: [1], 'a.b': null },
    notes: 'hello world',
  };

  it('writes every type, and nothing when it says what was read', async () => {
    const created = await site.put('a', whole);
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    const address = { ...whole.address, visits: 0 };
    expect(valueOf(created)).toEqual({ ...empty, ...whole, address });
    await site.patch('a', { increment: { likes: 3, 'address.visits': 1 }, refill: { stock: 4 } });
    const read = await site.get('a');
    const again = await site.put('a', valueOf(read));
    expect(again.status).toBe(200);
    expect(again.body).toEqual(read.body);
  });

  it('makes sets, maps and texts exactly this and clears what is not named, but counters', async () => {
    await site.put('a', whole);
    await site.patch('a', { increment: { likes: 3, 'address.visits': 1 }, refill: { stock: 4 } });
    const changed = await site.put('a', {
      tags: ['b', 'c'],
      address: { zip: '1' },
      labels: { k: 2 },
      notes: 'hello new world',
    });
    expect(valueOf(changed)).toEqual({
      ...empty,
      tags: ['b', 'c'],
      likes: 3,
      stock: 6,
      address: { zip: '1', visits: 1 },
      labels: { k: 2 },
      notes: 'hello new world',
    });
    const bare = await site.put('a', {});
    expect(valueOf(bare)).toEqual({ ...empty, likes: 3, stock: 6, address: { visits: 1 } });
  });

  it('writes only what differs: what arrives for the rest from elsewhere is no conflict', async () => {
    await site.put('a', whole);
    const value = valueOf(await site.get('a'));
    await site.put('a', { ...value, tags: ['a', 'b', 'c'], address: { city: 'Rome', zip: '1' } });
    await site.arrive('a', {
      type: us,
      seen: true,
      edit: (editor) => {
        editor.set('title', 'from us');
        editor.splice('notes', [{ at: 11, insert: '!' }]);
      },
    });
    await site.put('a', { ...valueOf(await site.get('a')), notes: 'hello big world!' });
    const read = record.parse((await site.get('a')).body);
    expect(read).toMatchObject({ value: { title: 'from us', notes: 'hello big world!' }, conflicts: [] });
  });

  it.each([
    ['a counter', { likes: 4 }, 'value.likes', 3, /increment/],
    ['a bounded counter', { stock: 3 }, 'value.stock', 6, /refill or spend/],
    ['a counter within a map', { address: { visits: 0 } }, 'value.address.visits', 1, /increment/],
  ])('refuses to set %s, and says what to do', async (_what, value, field, limit, detail) => {
    await site.patch('a', { increment: { likes: 3, 'address.visits': 1 }, refill: { stock: 4 } });
    const refused = await site.put('a', value);
    expect(refused.status).toBe(422);
    const { code, detail: said, violations } = problemOf(refused);
    expect([code, violations]).toMatchObject(['wrong-operation', [{ field, limit }]]);
    expect(said).toMatch(detail);
  });

  it('names all faults at once, at any depth', async () => {
    const forms = await site.put('a', {
      tags: [[1]],
      banned: 'x',
      notes: 5,
      address: [],
      labels: { fine: {} },
    });
    expect(problemOf(forms).code).toBe('invalid-value');
    expect(problemOf(forms).violations.map(({ field }) => field)).toEqual([
      'value.tags[0]',
      'value.banned',
      'value.notes',
      'value.address',
    ]);
    const names = await site.put('a', { titel: 1, address: { cty: 1, geo: { lon: 2 } } });
    expect(problemOf(names)).toMatchObject({ code: 'unknown-field' });
    expect(problemOf(names).violations.map(({ field }) => field)).toEqual([
      'value.titel',
      'value.address.cty',
      'value.address.geo.lon',
    ]);
    expect((await site.get('a')).status).toBe(404);
  });

  it('names the place of what the library refuses', async () => {
    const refused = await site.put('a', { labels: { ['x'.repeat(600)]: 1 } });
    expect([refused.status, problemOf(refused).violations[0]?.rule]).toEqual([422, 'name-bytes']);
    expect(problemOf(refused).violations[0]?.field).toMatch(/^value\.labels/);
  });
});

const us: Schema = schema(
  {
    title: register(),
    address: map({ city: register() }),
    labels: map(register()),
    stock: { type: 'bounded-counter', min: 2 },
    notes: text(),
  },
  { text: yjsText },
);

describe('registers within maps', () => {
  it('have conflicts and siblings under their paths', async () => {
    await site.put('a', { address: { city: 'Rome' }, labels: { 'a.b': 1 } });
    await site.arrive('a', {
      type: us,
      edit: (editor) => {
        editor.set('address.city', 'Paris');
        editor.set(['labels', 'a.b'], 2);
      },
    });
    const read = record.parse((await site.get('a')).body);
    expect(read).toMatchObject({
      value: { address: { city: 'Paris' }, labels: { 'a.b': 2 } },
      conflicts: ['address.city', 'labels.a\\.b'],
    });
    expect(Object.keys(read.siblings ?? {}), 'by policy').toEqual(['address.city']);
    const all = record.parse((await site.call('GET', `${site.path('a')}?siblings=all`)).body);
    expect(all.siblings).toMatchObject({
      'address.city': [
        { value: 'Paris', region: 'us', shown: true },
        { value: 'Rome', region: 'eu', shown: false },
      ],
      'labels.a\\.b': [{ value: 2 }, { value: 1 }],
    });
    const decided = await site.patch('a', { set: { 'labels.a\\.b': 1 } });
    expect(record.parse(decided.body).conflicts).toEqual(['address.city']);
  });
});

/** Requests that are wrong in every way that a stranger finds: each is refused, and nothing is stored. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Site, codeOf, problemOf, startSite, valueOf } from './site.ts';

const collections = {
  products: {
    fields: {
      title: { type: 'register' },
      likes: { type: 'counter' },
      stock: { type: 'bounded-counter', min: 2 },
      tags: { type: 'set' },
      address: {
        type: 'map',
        fields: { city: { type: 'register' }, floors: { type: 'counter' } },
      },
      labels: { type: 'map', of: { type: 'register' } },
      sums: { type: 'map', of: { type: 'counter' } },
      notes: { type: 'text' },
    },
  },
  profiles: { fields: { name: { type: 'register' } } },
};

let site: Site;

beforeAll(async () => {
  site = await startSite(collections);
}, 120_000);

afterAll(() => site.stop());

beforeEach(() => site.nextTest());

const call: Site['call'] = (...request) => site.call(...request);
const path: Site['path'] = (...named) => site.path(...named);

/** As many members as a small body has room for. */
function manyOf(value: number, prefix = ''): Record<string, number> {
  return Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`${prefix}x${index}`, value]));
}

describe('hostile input', () => {
  const key = 'hostile';
  const url = () => path(key);
  const stored = async () => {
    const rows: string[] = [];
    for (const collection of ['products', 'profiles'])
      for await (const chunk of site.database.records.scan(collection))
        for (const row of chunk) rows.push(`${row.key} ${Buffer.from(row.state).toString('hex')}`);
    return rows;
  };
  const put = (value: unknown) => ['PUT', url, { value }] as const;
  const patch = (body: unknown) => ['PATCH', url, body] as const;
  const batch = (...writes: unknown[]) => ['POST', () => '/v1/batch', { writes }] as const;
  const one = (rest: object) => batch({ collection: 'products', key: 'x', ...rest });

  it.each<[string, readonly [string, () => string, unknown], number, string]>([
    ['an unknown collection', ['PUT', () => path(key, 'product'), { value: {} }], 404, 'unknown-collection'],
    [
      'a collection of a prototype',
      ['GET', () => path(key, '__proto__'), undefined],
      404,
      'unknown-collection',
    ],
    ['the key .', ['PUT', () => '/v1/collections/products/records/%2e', { value: {} }], 400, 'invalid-key'],
    ['a key too long', ['PUT', () => path('x'.repeat(513)), { value: {} }], 400, 'invalid-key'],
    ['a key with a control character', ['PUT', () => path('a\u0000b'), { value: {} }], 400, 'invalid-key'],
    ['a key with a C1 control character', ['PUT', () => path('a\u0085b'), { value: {} }], 400, 'invalid-key'],
    [
      'a bare slash in the key',
      ['PUT', () => '/v1/collections/products/records/a/b', { value: {} }],
      400,
      'invalid-key',
    ],
    ['a slash after the key', ['PUT', () => `${path(key)}/`, { value: {} }], 400, 'invalid-key'],
    ['no body', ['PUT', url, undefined], 415, 'unsupported-media-type'],
    ['an empty body', ['PUT', url, ''], 400, 'malformed-json'],
    ['a body that is no object', ['PUT', url, [1]], 422, 'invalid-value'],
    ['a body null', ['PUT', url, 'null'], 422, 'invalid-value'],
    ['no value', ['PUT', url, {}], 422, 'invalid-value'],
    ['a value that is no object', put('x'), 422, 'invalid-value'],
    ['a member beside the value', ['PUT', url, { value: {}, stamp: 1 }], 422, 'invalid-value'],
    [
      'a member __proto__ beside the value',
      ['PUT', url, '{"value":{},"__proto__":{"value":{}}}'],
      422,
      'invalid-value',
    ],
    ['an unknown field', put({ titel: 'x' }), 422, 'unknown-field'],
    ['a field __proto__', ['PUT', url, '{"value":{"__proto__":{"polluted":1}}}'], 422, 'unknown-field'],
    ['a field constructor', put({ constructor: 1 }), 422, 'unknown-field'],
    ['a counter set', put({ likes: 1 }), 422, 'wrong-operation'],
    ['a counter set to text', put({ likes: '0' }), 422, 'wrong-operation'],
    ['a number too large', ['PUT', url, '{"value":{"title":9007199254740993}}'], 422, 'invalid-value'],
    ['deep JSON', ['PUT', url, `{"value":{"title":${'['.repeat(100_000)}`], 400, 'too-deep'],
    ['a body too large', put({ title: 'x'.repeat(1024 * 1024) }), 413, 'body-too-large'],
    ['a change too large', put({ title: 'x'.repeat(300 * 1024) }), 413, 'body-too-large'],
    ['an unknown operation', patch({ sett: { title: 1 } }), 422, 'invalid-value'],
    ['an operation __proto__', ['PATCH', url, '{"__proto__":{"set":{"title":1}}}'], 422, 'invalid-value'],
    ['a set of a counter', patch({ set: { likes: 1 } }), 422, 'wrong-operation'],
    ['an increment of a register', patch({ increment: { title: 1 } }), 422, 'wrong-operation'],
    ['an addition to a register', patch({ add: { title: [1] } }), 422, 'wrong-operation'],
    ['an increment by text', patch({ increment: { likes: '1' } }), 422, 'invalid-value'],
    ['an increment by a fraction', patch({ increment: { likes: 0.5 } }), 422, 'invalid-value'],
    ['an increment by null', patch({ increment: { likes: null } }), 422, 'invalid-value'],
    ['a clear that is no list', patch({ clear: 'title' }), 422, 'invalid-value'],
    ['a clear of no name', patch({ clear: [1] }), 422, 'invalid-value'],
    ['one path twice', patch({ set: { title: 1 }, clear: ['title'] }), 422, 'invalid-value'],
    ['one path twice in one list', patch({ clear: ['title', 'title'] }), 422, 'invalid-value'],
    [
      'a path within another',
      patch({ clear: ['address'], set: { 'address.city': 1 } }),
      422,
      'invalid-value',
    ],
    [
      'a path around another',
      patch({ set: { 'labels.x': 1 }, clear: ['labels.y', 'labels'] }),
      422,
      'invalid-value',
    ],
    [
      'one set added to and removed from',
      patch({ add: { tags: [1] }, remove: { tags: [2] } }),
      422,
      'invalid-value',
    ],
    ['a set of a set', patch({ set: { tags: ['x'] } }), 422, 'wrong-operation'],
    ['a set of a map', patch({ set: { address: {} } }), 422, 'wrong-operation'],
    ['a set of a text', patch({ set: { notes: 'x' } }), 422, 'wrong-operation'],
    ['a set of a bounded counter', patch({ set: { stock: 3 } }), 422, 'wrong-operation'],
    ['a set of a counter in a map', patch({ set: { 'address.floors': 1 } }), 422, 'wrong-operation'],
    ['an increment of a bounded counter', patch({ increment: { stock: 1 } }), 422, 'wrong-operation'],
    ['a spending of a counter', patch({ spend: { likes: 1 } }), 422, 'wrong-operation'],
    ['a splice of a register', patch({ splice: { title: [] } }), 422, 'wrong-operation'],
    ['a move of rights of a counter', patch({ moveRights: { likes: {} } }), 422, 'wrong-operation'],
    ['a member of a register', patch({ set: { 'title.x': 1 } }), 422, 'unknown-field'],
    ['a member that is not declared', patch({ set: { 'address.street': 1 } }), 422, 'unknown-field'],
    ['a member of a prototype', patch({ set: { 'address.constructor': 1 } }), 422, 'unknown-field'],
    ['a member below an open map of registers', patch({ set: { 'labels.a.b': 1 } }), 422, 'unknown-field'],
    ['an empty path', patch({ set: { '': 1 } }), 422, 'unknown-field'],
    ['a path that ends in a backslash', patch({ set: { 'labels.a\\': 1 } }), 422, 'invalid-value'],
    ['a path with another escape', patch({ clear: ['labels.\\n'] }), 422, 'invalid-value'],
    ['a member name too long', patch({ set: { [`labels.${'x'.repeat(513)}`]: 1 } }), 422, 'invalid-value'],
    ['half a surrogate in a member name', patch('{"set":{"labels.\\ud800":1}}'), 422, 'invalid-value'],
    ['an element that is an object', patch({ add: { tags: [{}] } }), 422, 'invalid-value'],
    ['an element null', patch({ remove: { tags: [null] } }), 422, 'invalid-value'],
    ['elements that are no list', patch({ add: { tags: 'x' } }), 422, 'invalid-value'],
    ['a negative spending', patch({ spend: { stock: -1 } }), 422, 'invalid-value'],
    ['a refill by a fraction', patch({ refill: { stock: 1.5 } }), 422, 'invalid-value'],
    ['a spending beyond what is held', patch({ spend: { stock: 1 } }), 409, 'insufficient-rights'],
    [
      'a move of more than is held',
      patch({ moveRights: { stock: { to: 'us', amount: 1 } } }),
      409,
      'insufficient-rights',
    ],
    ['a move without a target', patch({ moveRights: { stock: { amount: 1 } } }), 422, 'invalid-value'],
    [
      'a move with a member too many',
      patch({ moveRights: { stock: { to: 'us', amount: 1, x: 1 } } }),
      422,
      'invalid-value',
    ],
    ['a negative move', patch({ moveRights: { stock: { to: 'us', amount: -1 } } }), 422, 'invalid-value'],
    ['splices that are no list', patch({ splice: { notes: { at: 0 } } }), 422, 'invalid-value'],
    ['a splice without a position', patch({ splice: { notes: [{ insert: 'x' }] } }), 422, 'invalid-value'],
    [
      'a splice beyond the text',
      patch({ splice: { notes: [{ at: 1, insert: 'x' }] } }),
      422,
      'invalid-value',
    ],
    [
      'a splice with a member too many',
      patch({ splice: { notes: [{ at: 0, remove: 1 }] } }),
      422,
      'invalid-value',
    ],
    [
      'half a surrogate in a text',
      patch('{"splice":{"notes":[{"at":0,"insert":"\\ud800"}]}}'),
      422,
      'invalid-value',
    ],
    ['a bounded counter set', put({ stock: 3 }), 422, 'wrong-operation'],
    ['a set that is no list', put({ tags: {} }), 422, 'invalid-value'],
    ['a map that is no object', put({ address: 'x' }), 422, 'invalid-value'],
    ['a text that is no string', put({ notes: null }), 422, 'invalid-value'],
    ['a field of a map that is not declared', put({ address: { street: 1 } }), 422, 'unknown-field'],
    ['one member twice', ['PATCH', url, '{"set":{"title":1,"title":2}}'], 400, 'malformed-json'],
    ['a batch without writes', ['POST', () => '/v1/batch', {}], 422, 'invalid-value'],
    ['a batch too long', batch(...Array.from({ length: 501 }, () => ({}))), 422, 'invalid-value'],
    ['a batch of no object', batch(1), 422, 'invalid-value'],
    ['a batch with another method', one({ method: 'get' }), 422, 'invalid-value'],
    ['a batch with the key .', one({ method: 'delete', key: '.' }), 400, 'invalid-key'],
    ['a batch with a bad key', one({ method: 'delete', key: '..' }), 400, 'invalid-key'],
    ['a batch with half a surrogate in a key', one({ method: 'delete', key: '\ud800' }), 400, 'invalid-key'],
    ['a batch with a member too many', one({ method: 'delete', value: {} }), 422, 'invalid-value'],
    [
      'a batch into no collection',
      one({ method: 'delete', collection: 'toString' }),
      404,
      'unknown-collection',
    ],
    [
      'a query that is no UTF-8',
      ['GET', () => '/v1/collections/products/records?prefix=%FF', undefined],
      400,
      'invalid-key',
    ],
    [
      'the same behind another question mark',
      ['GET', () => '/v1/collections/products/records?prefix=a?%FF', undefined],
      400,
      'invalid-key',
    ],
    [
      'siblings of another kind',
      ['GET', () => `${path(key)}?siblings=some`, undefined],
      422,
      'invalid-value',
    ],
  ])('%s is refused and nothing is stored', async (_name, [method, target, body], status, code) => {
    const before = await stored();
    const answer = await call(method, target(), body);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    expect(await stored()).toEqual(before);
    expect('polluted' in {}).toBe(false);
  });

  it.each<[string, readonly [string, () => string, unknown], string]>([
    ['unknown fields put', put(manyOf(0)), 'value.x0'],
    ['unknown fields patched', patch({ set: manyOf(0) }), 'set.x0'],
    ['unknown fields cleared', patch({ clear: Object.keys(manyOf(0)) }), 'clear[0]'],
    ['operations that fields do not take', patch({ increment: manyOf(1, 'labels.') }), 'increment.labels.x0'],
    ['unknown members of a map put', put({ address: manyOf(0) }), 'value.address.x0'],
    ['counters in a map put', put({ sums: manyOf(1) }), 'value.sums.x0'],
  ])('of a request full of %s the first faults are told, and no more', async (_name, request, first) => {
    const [method, target, body] = request;
    const { violations } = problemOf(await call(method, target(), body));
    expect(violations).toHaveLength(50);
    expect(violations[0]?.field).toBe(first);
  });

  it('a bounded counter beyond its range is refused and keeps its value', async () => {
    await call('PATCH', url(), { refill: { stock: Number.MAX_SAFE_INTEGER - 2 } });
    const refused = await call('PATCH', url(), { refill: { stock: 3 } });
    expect([refused.status, codeOf(refused)]).toEqual([422, 'counter-out-of-range']);
    expect(valueOf(await call('GET', url()))).toMatchObject({ stock: Number.MAX_SAFE_INTEGER });
  });

  it('a counter beyond its range is refused and keeps its value', async () => {
    await call('PATCH', url(), { increment: { likes: Number.MAX_SAFE_INTEGER } });
    const refused = await call('PATCH', url(), { increment: { likes: 1 } });
    expect([refused.status, codeOf(refused)]).toEqual([422, 'counter-out-of-range']);
    expect(valueOf(await call('GET', url()))).toMatchObject({ likes: Number.MAX_SAFE_INTEGER });
  });
});

/** The file of declarations that a region reads its collections from. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, type Environment, describeFault, readConfig } from './config.ts';

const minimal = { ISTHMUS_REGION: 'eu', ISTHMUS_DATABASE_URL: 'postgres://isthmus:s3cret@db:5432/isthmus' };

/** What a region with peers needs beside them. */
function keysFor(...regions: readonly string[]): Environment {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
  const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' });
  const believed = regions.map((region) => [region, [{ key: other.toString('base64') }]]);
  return {
    ISTHMUS_SIGNING_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ISTHMUS_PUBLIC_KEYS: JSON.stringify({ ...Object.fromEntries(believed), eu: [{ key }] }),
  };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function valid(environment: Environment): Config {
  const result = readConfig(environment);
  if (result.kind === 'invalid') throw new TypeError(result.faults.map(describeFault).join('\n'));
  return result.config;
}

function faults(environment: Environment): readonly string[] {
  const result = readConfig(environment);
  return result.kind === 'invalid' ? result.faults.map(describeFault) : [];
}

describe('the declarations file', () => {
  const declare = (text: string) => ({ ...minimal, ISTHMUS_COLLECTIONS: file('collections.json', text) });
  const products = (fields: unknown, rest: object = {}) =>
    JSON.stringify({ collections: { products: { fields, ...rest } } });

  it('is read into fields and policies', () => {
    const fields = {
      title: { type: 'register' },
      status: { type: 'register', resolve: 'siblings' },
      likes: { type: 'counter' },
    };
    const config = valid(declare(products(fields, { deletes: 'last-writer-wins' })));
    const declared = config.collections.get('products');
    expect(declared?.deletes).toBe('last-writer-wins');
    expect([...(declared?.fields ?? [])]).toEqual([
      ['title', { type: 'register', resolve: 'last-writer' }],
      ['status', { type: 'register', resolve: 'siblings' }],
      ['likes', { type: 'counter' }],
    ]);
  });

  it('is read with every type, maps within maps, and defaults filled in', () => {
    const fields = {
      stock: { type: 'bounded-counter' },
      debt: { type: 'bounded-counter', min: -5 },
      tags: { type: 'set' },
      banned: { type: 'set', bias: 'remove' },
      address: { type: 'map', fields: { geo: { type: 'map', of: { type: 'counter' } } } },
      notes: { type: 'text' },
    };
    const declared = valid(declare(products(fields))).collections.get('products');
    expect(Object.fromEntries(declared?.fields ?? [])).toEqual({
      stock: { type: 'bounded-counter', min: 0 },
      debt: { type: 'bounded-counter', min: -5 },
      tags: { type: 'set', bias: 'add' },
      banned: { type: 'set', bias: 'remove' },
      address: { type: 'map', fields: new Map([['geo', { type: 'map', of: { type: 'counter' } }]]) },
      notes: { type: 'text' },
    });
  });

  const nested = (levels: number): unknown =>
    levels === 0 ? { type: 'text' } : { type: 'map', of: nested(levels - 1) };
  const many = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, { type: 'text' }]));

  it('takes maps to eight names and 256 fields in all', () => {
    expect(faults(declare(products({ a: nested(8) })))[0]).toMatch(/at most 8 names/);
    const fields = { a: nested(7), b: { type: 'map', fields: many(247) } };
    const config = valid(declare(products(fields)));
    expect(config.collections.get('products')?.fields.size).toBe(2);
    const more = { ...fields, c: { type: 'text' } };
    expect(faults(declare(products(more)))[0]).toMatch(/products\.fields: has 257 members; takes 256/);
  });

  it('is refused with every fault at any depth told at once', () => {
    const fields = {
      a: { type: 'bounded_counter' },
      b: { type: 'map', fields: { c: { type: 'set', bias: 'ad' }, '9x': { type: 'text' } } },
      d: { type: 'map' },
      e: { type: 'counter', min: 0 },
      f: { type: 'map', of: { type: 'map', fields: {} } },
      g: { type: 'bounded-counter', min: 0.5 },
      h: 'text',
    };
    const [found = ''] = faults(declare(products(fields)));
    for (const expected of [
      /fields\.a\.type: takes one of register, .*text, map; did you mean "bounded-counter"\?/,
      /fields\.b\.fields\.c\.bias: .*add.*remove/,
      /fields\.b\.fields\.9x: the name is not a field name/,
      /fields\.d: a map takes either fields/,
      /fields\.e: unknown member "min"; it takes type/,
      /fields\.f\.of\.fields: takes at least 1 member/,
      /fields\.g\.min: /,
      /fields\.h: takes \{type/,
    ])
      expect(found).toMatch(expected);
    expect(found.split(' | ')).toHaveLength(8);
  });

  it.each([
    ['not JSON', '{', /is not JSON/],
    ['another shape', '[]', /\(top\)/],
    [
      'a strange member',
      '{"collections":{},"colections":{}}',
      /unknown member "colections"; did you mean "collections"\?/,
    ],
    [
      'a bad name',
      '{"collections":{"Products":{"fields":{}}}}',
      /collections\.Products: the name is not a collection name/,
    ],
    [
      'a prototype name',
      '{"collections":{"__proto__":{"fields":{}}}}',
      /collections\.__proto__: the name is not/,
    ],
    [
      'a bad field name',
      products({ '9x': { type: 'counter' } }),
      /collections\.products\.fields\.9x: the name is not a field name/,
    ],
    [
      'an unknown type',
      products({ x: { type: 'list' } }),
      /collections\.products\.fields\.x.*takes.*register/,
    ],
    ['no field', products({}), /products\.fields: takes at least 1 member/],
    [
      'an unknown policy',
      products({ x: { type: 'register', resolve: 'max' } }),
      /fields\.x\.resolve: .*last-writer.*siblings/,
    ],
    [
      'a misspelt policy',
      products({ x: { type: 'register', resolv: 'siblings' } }),
      /unknown member "resolv"; did you mean "resolve"\?/,
    ],
    [
      'a guard of no kind',
      products({ x: { type: 'counter' } }, { guard: 'refuse' }),
      /products\.guard: takes "accept", \{"budget"/,
    ],
    [
      'a misspelt bound of a budget',
      products({ x: { type: 'counter' } }, { guard: { budget: { second: 5 } } }),
      /products\.guard\.budget: unknown member "second"; did you mean "seconds"\?/,
    ],
    [
      'a budget without bounds',
      products({ x: { type: 'counter' } }, { guard: { budget: { peers: 1 } } }),
      /products\.guard\.budget: a budget bounds seconds, changes or both/,
    ],
    [
      'a guard beside a guard',
      products({ x: { type: 'counter' } }, { guard: { budget: { seconds: 5 }, homeRegion: 'eu' } }),
      /products\.guard: unknown member "homeRegion"/,
    ],
    [
      'a budget that nobody can meet',
      products({ x: { type: 'counter' } }, { guard: { budget: { seconds: 0.5 } } }),
      /products\.guard\.budget\.seconds: .*>=1/,
    ],
    [
      'a home that is no name',
      products({ x: { type: 'counter' } }, { guard: { homeRegion: 'EU' } }),
      /products\.guard\.homeRegion: takes the name of a region/,
    ],
    [
      'deletes of no kind',
      products({ x: { type: 'text' } }, { deletes: 'never' }),
      /products\.deletes: .*add-wins/,
    ],
  ])('names path and remedy: %s', (_name, text, expected) => {
    const found = faults(declare(text));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^ISTHMUS_COLLECTIONS holds ".*collections\.json"; it takes a file of collection declarations/,
    );
    expect(found[0]).toMatch(expected);
  });

  it('reads the guard of a collection, and accepts where there is none', () => {
    const peers = '[{"region":"us","brokers":"u:1","admin":"http://u:2"}]';
    const guardOf = (guard: unknown) => {
      const environment = {
        ...declare(products({ x: { type: 'counter' } }, { guard })),
        ...keysFor('us'),
        ISTHMUS_PEERS: peers,
      };
      return valid({ ...environment, ISTHMUS_KAFKA_BROKERS: 'k:1' }).collections.get('products')?.guard;
    };
    expect(guardOf(undefined)).toEqual({ kind: 'accept' });
    expect(guardOf('accept')).toEqual({ kind: 'accept' });
    expect(guardOf({ homeRegion: 'us' })).toEqual({ kind: 'home-region', region: 'us' });
    expect(guardOf({ budget: { seconds: 5 } })).toEqual({
      kind: 'budget',
      seconds: 5,
      changes: null,
      peers: 1,
    });
    expect(guardOf({ budget: { changes: 0, peers: 1 } })).toMatchObject({ changes: 0, seconds: null });
  });

  it.each([
    [
      'a home that nobody knows',
      { homeRegion: 'ap' },
      /the home region ap is neither this region nor a peer/,
    ],
    [
      'a budget of more peers than there are',
      { budget: { seconds: 5 } },
      /budget of 1 peers refuses every write/,
    ],
  ])('refuses a guard that lets no write pass: %s', (_name, guard, expected) => {
    const [found, ...others] = faults(declare(products({ x: { type: 'counter' } }, { guard })));
    expect(others).toEqual([]);
    expect(found).toMatch(/^ISTHMUS_COLLECTIONS holds collections\.products\.guard; it takes guards/);
    expect(found).toMatch(expected);
  });
});

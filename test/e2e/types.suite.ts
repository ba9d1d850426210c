/**
 * Every type of field across two regions: both change it while they are cut from each other, and once healed both show
 * what its type promises, byte for byte.
 */
import { beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { type Apart, type Side, writeApart } from './partition.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';

interface Case {
  readonly name: string;
  /** Edits in eu that both have seen. */
  readonly base: readonly object[];
  readonly eu: Side['write'];
  /** Later by the clock. */
  readonly us: Side['write'];
  readonly shown: object;
}

const patch =
  (...edits: readonly object[]): Side['write'] =>
  (region, { collection, key }) =>
    inOrder(edits, (edit) => region.patch(collection, key, edit));

const change =
  (values: object): Side['write'] =>
  async (region, { collection, key }) => {
    const { body } = await region.get(collection, key);
    return [await region.put(collection, key, { ...Object(body).value, ...values })];
  };

const overspend: Side['write'] = async (region, { collection, key }) => {
  expect(await region.patch(collection, key, { spend: { stock: 1 } })).toMatchObject({
    status: 409,
    body: { code: 'insufficient-rights', have: 0, need: 1 },
  });
  return [];
};

const both =
  (...writes: readonly Side['write'][]): Side['write'] =>
  async (region, place) =>
    (await inOrder(writes, (write) => write(region, place))).flat();

const cases: readonly Case[] = [
  {
    name: 'a register shows the later write and keeps the other',
    base: [],
    eu: patch({ set: { title: 'eu' } }),
    us: patch({ set: { title: 'us' } }),
    shown: { value: { title: 'us' }, conflicts: ['title'] },
  },
  {
    name: 'a register with siblings shows both',
    base: [],
    eu: patch({ set: { status: 'eu' } }),
    us: patch({ set: { status: 'us' } }),
    shown: {
      value: { status: 'us' },
      siblings: {
        status: [
          { value: 'us', region: 'us', shown: true },
          { value: 'eu', region: 'eu', shown: false },
        ],
      },
    },
  },
  {
    name: 'in a set, additions beat removals that have not seen them',
    base: [{ add: { tags: ['a', 'b'] } }],
    eu: patch({ remove: { tags: ['a', 'b'] } }),
    us: patch({ add: { tags: ['a', 'c', 1] } }),
    shown: { value: { tags: [1, 'a', 'c'] }, conflicts: [] },
  },
  {
    name: 'in a set biased to removal, removals do',
    base: [{ add: { banned: ['a', 'b'] } }],
    eu: patch({ remove: { banned: ['a'] } }),
    us: patch({ add: { banned: ['a', 'c'] } }),
    shown: { value: { banned: ['b', 'c'] } },
  },
  {
    name: 'a counter keeps exactly what a reset has not seen',
    base: [{ increment: { likes: 3 } }],
    eu: patch({ increment: { likes: 5 } }, { increment: { likes: -1 } }),
    us: patch({ clear: ['likes'] }),
    shown: { value: { likes: 4 } },
  },
  {
    name: 'a bounded counter is spent by both sides to its minimum and never below',
    base: [{ refill: { stock: 10 } }, { moveRights: { stock: { to: 'us', amount: 4 } } }],
    eu: both(patch({ spend: { stock: 6 } }), overspend),
    us: both(patch({ spend: { stock: 3 } }, { spend: { stock: 1 } }), overspend),
    shown: { value: { stock: 0 } },
  },
  {
    name: 'of a cleared map only what the clearing has not seen lives',
    base: [{ set: { 'address.city': 'Rome', 'address.zip': '1' } }],
    eu: patch({ clear: ['address'] }),
    us: patch({ set: { 'address.city': 'Paris' } }),
    shown: { value: { address: { city: 'Paris' } }, conflicts: [] },
  },
  {
    name: 'a map that both create holds the members of both, and conflicts by path',
    base: [],
    eu: patch({ set: { 'address.city': 'Rome', 'address.a\\.b': 1 } }),
    us: patch({ set: { 'address.city': 'Paris', 'address.zip': '1' } }),
    shown: { value: { address: { city: 'Paris', zip: '1', 'a.b': 1 } }, conflicts: ['address.city'] },
  },
  {
    name: 'a text keeps the edits of both',
    base: [{ splice: { notes: [{ at: 0, insert: 'hello world' }] } }],
    eu: patch({ splice: { notes: [{ at: 0, delete: 5, insert: 'goodbye' }] } }),
    us: patch({ splice: { notes: [{ at: 11, insert: ' 🌍' }] } }),
    shown: { value: { notes: 'goodbye world 🌍' } },
  },
  {
    name: 'records that are read, changed and put back keep what either side changed',
    base: [{ set: { title: 'old', price: 1, 'address.city': 'Rome' }, add: { tags: ['a'] } }],
    eu: change({ title: 'eu', notes: 'from eu', address: { city: 'Rome', zip: '1' } }),
    us: change({ price: 2, tags: ['b'] }),
    shown: {
      value: {
        title: 'eu',
        price: 2,
        tags: ['b'],
        notes: 'from eu',
        address: { city: 'Rome', zip: '1' },
      },
      conflicts: [],
    },
  },
];

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;

beforeAll(async () => {
  eu = demo.region('eu');
  us = demo.region('us');
  for (const [index, { base }] of cases.entries())
    for (const edit of base) await accepted(eu, placeOf(index).key, edit);
  const apart = cases.map(
    (each, index): Apart => ({
      place: placeOf(index),
      first: { region: eu, write: each.eu },
      second: { region: us, write: each.us },
    }),
  );
  await writeApart(demo, apart);
}, 120_000);

test.each(cases.map((each, index) => ({ ...each, key: placeOf(index).key })))(
  '$name',
  async ({ key, shown }) => {
    const [inEu, inUs] = [await eu.get('products', key), await us.get('products', key)];
    expect(inEu).toMatchObject({ status: 200, body: shown });
    expect(inUs).toEqual(inEu);
  },
);

test('digests are equal, and nothing was put aside', async () => {
  expect(await us.digest('products')).toBe(await eu.digest('products'));
  for (const region of [eu, us]) expect(await region.status()).toMatchObject({ gaps: 0, deadLetters: 0 });
});

test('rights that are moved can be spent where they went, and nowhere else', async () => {
  const stockOf = async (region: RegionClient) => {
    const { body } = await region.get('products', 'moved');
    return Object(Object(body).value).stock as unknown;
  };
  await accepted(eu, 'moved', { refill: { stock: 5 } });
  await accepted(eu, 'moved', { moveRights: { stock: { to: 'us', amount: 3 } } });
  expect(await eu.patch('products', 'moved', { spend: { stock: 3 } })).toMatchObject({
    status: 409,
    body: { have: 2, need: 3 },
  });
  await accepted(us, 'moved', { spend: { stock: 3 } });
  await accepted(us, 'moved', { refill: { stock: 1 }, set: { title: 'back' } });
  await accepted(us, 'moved', { moveRights: { stock: { to: 'eu', amount: 1 } } });
  await accepted(eu, 'moved', { spend: { stock: 3 } });
  await until('both show what is left', 10_000, async () => (await stockOf(us)) === 0);
  expect(await stockOf(eu)).toBe(0);
  for (const to of ['eu', 'mars'])
    expect(await eu.patch('products', 'moved', { moveRights: { stock: { to, amount: 1 } } })).toMatchObject({
      status: 422,
      body: { code: 'invalid-value', violations: [{ limit: ['us'] }] },
    });
});

function placeOf(index: number) {
  return { collection: 'products', key: `case-${index}` };
}

/** Tried until what it needs (a peer that was heard, rights on their way) has arrived. */
async function accepted(region: RegionClient, key: string, edit: object): Promise<void> {
  await until(`${region.region} takes ${JSON.stringify(edit)}`, 10_000, async () => {
    const { status, body } = await region.patch('products', key, edit);
    if (status < 300) return true;
    throw new Error(JSON.stringify(body));
  });
}

async function inOrder<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}

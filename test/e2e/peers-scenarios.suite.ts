/**
 * The eight conflicts that other systems were measured with: made while the regions are cut from each other, A first
 * and B 200 milliseconds later, then healed. Both regions must show what is ideal, and the same bytes. Deletes are
 * tried under both policies.
 */
import { expect, test } from 'vitest';
import { type Apart, type Place, type Side, writeApart } from './partition.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';

interface Scenario {
  readonly name: string;
  readonly collection: 'products' | 'profiles';
  /** What both hold before; the record is absent by default. */
  readonly base?: object;
  readonly first: Side['write'];
  readonly second: Side['write'];
  /** Who writes first; A by default. */
  readonly from?: 'B';
  /** What both have to show; `null`: no record. */
  readonly ideal: object | null;
}

const set =
  (values: object): Side['write'] =>
  async (region, { collection, key }) => [await region.patch(collection, key, { set: values })];
const increment =
  (values: object): Side['write'] =>
  async (region, { collection, key }) => [await region.patch(collection, key, { increment: values })];
const put =
  (value: object): Side['write'] =>
  async (region, { collection, key }) => [await region.put(collection, key, value)];
const remove: Side['write'] = async (region, { collection, key }) => [await region.delete(collection, key)];
const both =
  (...writes: readonly Side['write'][]): Side['write'] =>
  async (region, place) => {
    const replies = [];
    for (const write of writes) replies.push(...(await write(region, place)));
    return replies;
  };

const product = { title: 'old', price: 1 };
const profile = { name: 'old', email: 'old' };

const scenarios: readonly Scenario[] = [
  {
    name: 'S1 different fields: both kept',
    collection: 'products',
    base: product,
    first: set({ title: 'A' }),
    second: set({ price: 2 }),
    ideal: { title: 'A', price: 2 },
  },
  {
    name: 'S2 same field: the later wins',
    collection: 'products',
    base: product,
    first: set({ title: 'A' }),
    second: set({ title: 'B' }),
    ideal: { title: 'B', price: 1 },
  },
  {
    name: 'S3 A deletes, B updates later: what B wrote lives',
    collection: 'products',
    base: product,
    first: remove,
    second: set({ title: 'B' }),
    ideal: { title: 'B' },
  },
  {
    name: 'S3 A deletes, B updates later: the later, for each field',
    collection: 'profiles',
    base: profile,
    first: remove,
    second: set({ name: 'B' }),
    ideal: { name: 'B' },
  },
  {
    name: 'S4 A updates, B deletes later: what A wrote lives',
    collection: 'products',
    base: product,
    first: set({ title: 'A' }),
    second: remove,
    ideal: { title: 'A' },
  },
  {
    name: 'S4 A updates, B deletes later: the delete',
    collection: 'profiles',
    base: profile,
    first: set({ name: 'A' }),
    second: remove,
    ideal: null,
  },
  {
    name: 'S5 both delete, B inserts again: the insert',
    collection: 'products',
    base: product,
    first: remove,
    second: both(remove, put({ title: 'again' })),
    ideal: { title: 'again' },
  },
  {
    name: 'S5 both delete, B inserts again: the insert',
    collection: 'profiles',
    base: profile,
    first: remove,
    second: both(remove, put({ name: 'again' })),
    ideal: { name: 'again' },
  },
  {
    name: 'S6 counter +1 and +10: 11',
    collection: 'products',
    base: {},
    first: increment({ likes: 1 }),
    second: increment({ likes: 10 }),
    ideal: { likes: 11 },
  },
  {
    name: 'S7 both insert one key: one record, the later for each field',
    collection: 'products',
    first: put({ title: 'A', price: 1 }),
    second: put({ title: 'B', status: 'new' }),
    ideal: { title: 'B', price: 1, status: 'new' },
  },
  {
    name: 'S8 two records, the first newer in B',
    collection: 'products',
    base: product,
    first: set({ title: 'A' }),
    second: set({ title: 'B' }),
    ideal: { title: 'B', price: 1 },
  },
  {
    name: 'S8 two records, the second newer in A',
    collection: 'products',
    base: product,
    from: 'B',
    first: set({ title: 'B' }),
    second: set({ title: 'A' }),
    ideal: { title: 'A', price: 1 },
  },
];

/** What a record shows of fields that nothing was written to; left out of the table. */
const untouched: ReadonlySet<string> = new Set(['[]', '0', '""']);

const demo = useDemo();

test('S1 to S8: both regions show what is ideal, and the same bytes (I4, I6, I7)', async () => {
  const [a, b] = [demo.region('eu'), demo.region('us')];
  for (const [index, { collection, base }] of scenarios.entries())
    if (base !== undefined) await a.put(collection, placeOf(index).key, base);
  await writeApart(demo, apart(a, b));
  const rows = await Promise.all(scenarios.map((scenario, index) => judge(scenario, placeOf(index), [a, b])));
  process.stdout.write(`${tableOf(rows)}\n`);
  expect(rows.filter(({ got, ideal, isEqual }) => got !== ideal || !isEqual)).toEqual([]);
}, 150_000);

function placeOf(index: number): Place {
  const { collection = 'products', name = '' } = scenarios[index] ?? {};
  return { collection, key: `${name.slice(0, 2)}-${index}` };
}

function apart(a: RegionClient, b: RegionClient): readonly Apart[] {
  return scenarios.map(({ first, second, from = 'A' }, index) => ({
    place: placeOf(index),
    first: { region: from === 'A' ? a : b, write: first },
    second: { region: from === 'A' ? b : a, write: second },
  }));
}

interface Row {
  readonly scenario: string;
  readonly deletes: string;
  readonly ideal: string;
  readonly got: string;
  readonly isEqual: boolean;
}

async function judge(
  { name, collection, ideal }: Scenario,
  { key }: Place,
  regions: readonly RegionClient[],
): Promise<Row> {
  const replies = await Promise.all(regions.map((region) => region.get(collection, key)));
  const digests = await Promise.all(regions.map((region) => region.digest(collection)));
  const shown = replies.map(({ status, body }) => (status === 404 ? 'no record' : inWords(body)));
  const bodies = new Set(replies.map(({ status, body }) => (status === 404 ? '' : JSON.stringify(body))));
  return {
    scenario: name,
    deletes: collection === 'products' ? 'add-wins' : 'last-writer-wins',
    ideal: ideal === null ? 'no record' : inOrder(ideal),
    got: [...new Set(shown)].join(' | '),
    isEqual: new Set(digests).size === 1 && bodies.size === 1,
  };
}

function inWords(body: unknown): string {
  return inOrder(Object(Object(body).value));
}

function inOrder(value: object): string {
  const written = Object.entries(value).filter(([, shown]) => !untouched.has(JSON.stringify(shown)));
  return JSON.stringify(Object.fromEntries(written.toSorted(([x], [y]) => (x < y ? -1 : 1))));
}

function tableOf(rows: readonly Row[]): string {
  const head = ['scenario', 'deletes', 'ideal', 'got', 'digests equal'];
  const lines = rows.map(({ scenario, deletes, ideal, got, isEqual }) => [
    scenario,
    deletes,
    ideal,
    got,
    isEqual ? 'yes' : 'NO',
  ]);
  const widths = head.map((_title, at) => Math.max(...[head, ...lines].map((line) => line[at]?.length ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  const print = (line: readonly string[]) =>
    `| ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  return [head, rule, ...lines].map(print).join('\n');
}

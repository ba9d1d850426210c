/** Pages of conflicts over stored records that are made up, so that bounds and long paths can be reached. */
import type { ConflictingQuery, StoredRecord } from '@isthmus/replication/ports/record-store';
import { describe, expect, it } from 'vitest';
import type { RecordConflicts } from '../records/conflict-view.ts';
import { UnreadableRecord } from '../records/unreadable-record.ts';
import { formatConflictCursor, parseConflictCursor } from './conflict-cursor.ts';
import { type ConflictQuery, type ConflictSource, readConflictPage } from './conflict-page.ts';

const everything = { collection: null, key: null };
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A state is the list of its fields in conflict. */
function conflicts(state: Uint8Array): RecordConflicts | null {
  const fields = decoder.decode(state).split('\n').filter(Boolean);
  if (fields.length === 0) return null;
  return {
    version: 'v',
    fields: fields.map((field) => ({ field, resolution: 'last-writer', siblings: [] })),
  };
}

type Stored = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

interface Made {
  readonly source: ConflictSource;
  readonly lists: () => number;
}

function make(stored: Stored, msPerList = 0): Made {
  let lists = 0;
  const records = (collection: string): readonly StoredRecord[] =>
    Object.entries(stored[collection] ?? {})
      .map(([key, fields]) => ({ collection, key, state: encoder.encode(fields.join('\n')) }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  return {
    lists: () => lists,
    source: {
      collections: new Map(Object.keys(stored).map((name) => [name, { conflicts }])),
      elapsedMs: () => lists * msPerList,
      store: {
        read: ({ collection, key }) =>
          Promise.resolve(records(collection).find((record) => record.key === key)?.state ?? null),
        listConflicting: ({ collection, after, limit }: ConflictingQuery) => {
          lists += 1;
          const left = records(collection).filter(({ key }) => after === null || key > after);
          return Promise.resolve(left.slice(0, limit));
        },
      },
    },
  };
}

/** All pages, each cursor through its text as a caller sends it. */
async function readAll(source: ConflictSource, limit: number) {
  const pages: { readonly fields: readonly string[]; readonly scanned: number }[] = [];
  let after = null;
  for (;;) {
    const {
      conflicts: found,
      next,
      scanned,
    } = await readConflictPage(source, { ...everything, limit, after });
    pages.push({
      fields: found.map(({ collection, key, field }) => `${collection} ${key} ${field}`),
      scanned,
    });
    if (next === null) return pages;
    expect(pages.length).toBeLessThan(1000);
    after = parseConflictCursor(formatConflictCursor(everything, next), everything);
  }
}

const numbered = (count: number, fields: readonly string[] = []) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`k${String(index).padStart(6, '0')}`, fields]),
  );

describe('a page', () => {
  it.each([1, 2, 3, 7, 1000])('of %i at most gives every conflict once, in order', async (limit) => {
    const long = `m.${'x'.repeat(2000)}`;
    const { source } = make({
      b: { k: ['z', 'a', long, `${long}y`, 'm.\u0000'], l: [], m: ['only'] },
      a: { k: ['a'] },
      empty: {},
      c: { ...numbered(150), z: ['last'] },
    });
    const pages = await readAll(source, limit);
    const all = pages.flatMap(({ fields }) => fields);
    expect(all.toSorted()).toEqual(
      [
        'a k a',
        'b k z',
        'b k a',
        `b k ${long}`,
        `b k ${long}y`,
        'b k m.\u0000',
        'b m only',
        'c z last',
      ].toSorted(),
    );
    expect(all[0]).toBe('a k a');
    expect(all.slice(-2)).toEqual(['b m only', 'c z last']);
    for (const { fields } of pages) expect(fields.length).toBeLessThanOrEqual(limit);
  });

  it('counts a record that is too new to read as one, and names it once', async () => {
    const { source } = make({ a: { ...numbered(2, ['f']), m: [], z: ['last'] } });
    const unreadable = new UnreadableRecord(Uint8Array.of(0x20));
    const read = (state: Uint8Array) => (state.length === 0 ? unreadable : conflicts(state));
    const collections = new Map([['a', { conflicts: read }]]);
    const given: string[] = [];
    let after: ConflictQuery['after'] = null;
    do {
      const page = await readConflictPage({ ...source, collections }, { ...everything, limit: 1, after });
      expect(page.conflicts.length + page.unreadable.length).toBeLessThanOrEqual(1);
      given.push(
        ...page.conflicts.map(({ key }) => key),
        ...page.unreadable.map(({ key }) => `too new ${key}`),
      );
      after = page.next;
    } while (after !== null);
    expect(given).toEqual(['k000000', 'k000001', 'too new m', 'z']);
  });

  it('ends after ten thousand records, also where it found nothing', async () => {
    const { source } = make({ a: { ...numbered(10_050), z: ['last'] } });
    expect(await readAll(source, 10)).toEqual([
      { fields: [], scanned: 10_000 },
      { fields: ['a z last'], scanned: 51 },
    ]);
  });

  it('ends after two seconds, and yet each page leads further', async () => {
    const { source } = make({ a: numbered(2500), b: {}, c: {}, d: { z: ['last'] } }, 2000);
    expect((await readAll(source, 10)).map(({ scanned }) => scanned)).toEqual([1000, 1000, 500, 0, 0, 1]);
  });

  it('leads further also where its time is over at once', async () => {
    const { source } = make({ a: numbered(1500), b: { z: ['last'] } });
    let ms = 0;
    const hurried = { ...source, elapsedMs: () => (ms += 3000) };
    expect((await readAll(hurried, 10)).map(({ scanned }) => scanned)).toEqual([1000, 500, 1]);
  });

  it('ends where its values are many bytes', async () => {
    const wide = [`f${'y'.repeat(1024 * 1024)}`];
    const { source } = make({ a: { 1: wide, 2: wide, 3: wide, 4: wide, 5: wide, 6: wide } });
    expect((await readAll(source, 1000)).map(({ fields }) => fields.length)).toEqual([4, 2]);
  });

  it('ends after 64 MiB of records, also where it found nothing', async () => {
    const { source } = make({ a: { ...numbered(250), z: ['last'] } });
    const large = new Uint8Array(1024 * 1024);
    const collections = new Map([
      ['a', { conflicts: (state: Uint8Array) => (state === large ? null : conflicts(state)) }],
    ]);
    const store = {
      ...source.store,
      listConflicting: async (query: ConflictingQuery) => {
        const page = await source.store.listConflicting({ ...query, limit: 1 });
        return page.map((row) => (row.state.length === 0 ? { ...row, state: large } : row));
      },
    };
    const pages = await readAll({ ...source, collections, store }, 10);
    expect(pages.map(({ scanned }) => scanned)).toEqual([64, 64, 64, 59]);
    expect(pages.at(-1)?.fields).toEqual(['a z last']);
  });

  it('goes on after a collection that is declared no longer', async () => {
    const { source } = make({ a: { k: ['f'] }, c: { k: ['g'] } });
    const after = { collection: 'b', key: 'k', field: 'f' };
    const { conflicts: found } = await readConflictPage(source, { ...everything, limit: 10, after });
    expect(found.map(({ field }) => field)).toEqual(['g']);
  });

  it('has ids that fit into a path, whatever the length of the field', async () => {
    const key = 'é'.repeat(256);
    const { source } = make({
      ['c'.repeat(63)]: { [key]: [`m.${'x'.repeat(15_000)}`, `m.${'x'.repeat(1000)}`] },
    });
    const { conflicts: found } = await readConflictPage(source, { ...everything, limit: 10, after: null });
    expect(found).toHaveLength(2);
    expect(new Set(found.map(({ id }) => id)).size).toBe(2);
    for (const { id } of found) expect(id.length).toBeLessThan(4096);
  });
});

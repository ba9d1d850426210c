/**
 * What every `RecordStore` must do, whatever it is made of. States here are plain texts and a merge is an append, so
 * that a lost or doubled write shows in the stored text. What it owes the applier stands in `record-positions.contract.ts`.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { isLastPage } from '@isthmus/replication/ports/record-store';
import type { LocalTransaction, RecordStore } from '@isthmus/replication/ports/record-store';

export interface OpenRecordStore {
  readonly store: RecordStore;
  readonly close: () => Promise<void>;
}

const chunkLimitBytes = 1024 * 1024;

export function region(name: string): RegionId {
  const id = parseRegionId(name);
  if (id === null) throw new Error(`not a region: ${name}`);
  return id;
}

export function bytes(plain: string): Buffer {
  return Buffer.from(plain, 'latin1');
}

export function text(state: Uint8Array | null | undefined): string | null {
  return state === null || state === undefined ? null : Buffer.from(state).toString('latin1');
}

export function record(key: string, collection = 'orders'): RecordId {
  return { collection, key };
}

/** Appends `mark` to every one of the records. */
export function append(ids: readonly RecordId[], mark: string): LocalTransaction {
  return {
    ids,
    decide: ({ states }) =>
      ids.map((_, index) => ({
        index,
        state: bytes(`${text(states[index]) ?? ''}${mark}`),
        delta: bytes(mark),
      })),
  };
}

export function recordStoreContract(name: string, open: () => Promise<OpenRecordStore>): void {
  describe(`RecordStore: ${name}`, () => {
    let opened: OpenRecordStore;
    const store = (): RecordStore => opened.store;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });
    describe('local transactions', () => localTransactions(store));
    describe('concurrent transactions', () => concurrentTransactions(store));
    describe('reading', () => reading(store));
  });
}

function localTransactions(store: () => RecordStore): void {
  it('stores what was decided, byte for byte, and says where', async () => {
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const write = { index: 0, state: every, delta: bytes('d') };
    const first = await store().commitLocal({ ids: [record('a')], decide: () => [write] });
    const second = await store().commitLocal(append([record('b')], 'x'));
    expect(Buffer.from((await store().read(record('a'))) ?? [])).toEqual(Buffer.from(every));
    expect(first).not.toBeNull();
    expect((second?.end ?? 0n) > (first?.end ?? 0n)).toBe(true);
  });

  it('shows the decision each state at the index of its id, in whatever order they were named', async () => {
    const odd = [record('😀'), record('\ufffd'), record('\ue000'), record('a', '😀'), record('a', '\ufffd')];
    const ids = [record('b'), record('a', 'zoo'), record('é'), ...odd, record('a'), record('a', 'ant')];
    for (const [index, id] of ids.entries()) await store().commitLocal(append([id], `${index}`));
    let seen: readonly (string | null)[] = [];
    await store().commitLocal({
      ids: [...ids, record('absent')],
      decide: ({ states }) => {
        seen = states.map(text);
        return [];
      },
    });
    expect(seen).toEqual([...ids.map((_, index) => `${index}`), '']);
  });

  it('leaves nothing behind when nothing is decided', async () => {
    expect(await store().commitLocal({ ids: [record('a'), record('b')], decide: () => [] })).toBeNull();
    expect(await everything(store())).toEqual([]);
  });

  it('leaves nothing behind when the decision throws, and throws just that', async () => {
    const thrown = new TypeError('this edit does not fit');
    const failing = store().commitLocal({
      ids: [record('a')],
      decide: () => {
        throw thrown;
      },
    });
    await expect(failing).rejects.toBe(thrown);
    expect(await everything(store())).toEqual([]);
    await store().commitLocal(append([record('a')], 'x'));
    expect(text(await store().read(record('a')))).toBe('x');
  });

  it('stores no record that was locked and not written', async () => {
    await store().commitLocal({
      ids: [record('a'), record('b'), record('c')],
      decide: () => [{ index: 1, state: bytes('x'), delta: bytes('x') }],
    });
    expect(await everything(store())).toEqual([['b', 'x']]);
    expect(await store().read(record('a'))).toBeNull();
  });

  it('refuses to read more bytes of states than it was allowed, and reads as many as that', async () => {
    const ids = [record('a'), record('b'), record('c')];
    for (const id of ids) await store().commitLocal(append([id], 'x'.repeat(1000)));
    const refused = store().commitLocal({ ...append(ids, 'y'), maxStateBytes: 2999 });
    await expect(refused).rejects.toMatchObject({ code: 'transaction-too-large', retriable: false });
    expect((await everything(store())).map(([, state]) => state?.length)).toEqual([1000, 1000, 1000]);
    await store().commitLocal({ ...append(ids, 'y'), maxStateBytes: 3000 });
    expect((await everything(store())).map(([, state]) => state?.length)).toEqual([1001, 1001, 1001]);
  });

  it('reads and writes states that are many MiB together', async () => {
    const ids = Array.from({ length: 9 }, (_, index) => record(`k${index}`));
    const sizes = [1, 2_000_000, 900_000, 3, 900_000, 1_800_000, 4_000_000, 3_000_000, 500_000];
    const mark = (index: number) => String.fromCharCode(97 + index);
    for (const [index, id] of ids.entries())
      await store().commitLocal({
        ids: [id],
        decide: () => [{ index: 0, state: bytes(mark(index).repeat(sizes[index] ?? 0)), delta: bytes('d') }],
      });
    await store().commitLocal(append([...ids, record('new')], '!'));
    for (const [index, id] of ids.entries())
      expect(text(await store().read(id))).toBe(`${mark(index).repeat(sizes[index] ?? 0)}!`);
    expect(text(await store().read(record('new')))).toBe('!');
  });

  it('refuses more than 500 records', async () => {
    const ids = Array.from({ length: 501 }, (_, index) => record(`k${index}`));
    await expect(store().commitLocal(append(ids, 'x'))).rejects.toMatchObject({
      code: 'transaction-too-large',
    });
    await store().commitLocal(append(ids.slice(1), 'x'));
    expect(await everything(store())).toHaveLength(500);
  });

  it('refuses more than 1 MiB of deltas and stores none of them', async () => {
    const decide = (extra: number) => () =>
      [0, 1, 2, 3].map((index) => ({
        index,
        state: bytes('x'),
        delta: new Uint8Array(256 * 1024 + (index === 3 ? extra : 0)),
      }));
    const ids = [record('a'), record('b'), record('c'), record('d')];
    await expect(store().commitLocal({ ids, decide: decide(1) })).rejects.toMatchObject({
      code: 'transaction-too-large',
    });
    expect(await everything(store())).toEqual([]);
    await store().commitLocal({ ids, decide: decide(0) });
    expect(await everything(store())).toHaveLength(4);
  });

  it('takes one change of up to 3 MiB alone, as a delete of a large record is', async () => {
    const alone = (bytesOfDelta: number) => ({
      ids: [record('a')],
      decide: () => [{ index: 0, state: bytes('x'), delta: new Uint8Array(bytesOfDelta) }],
    });
    await expect(store().commitLocal(alone(3 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: 'transaction-too-large',
    });
    await store().commitLocal(alone(3 * 1024 * 1024));
    expect(await everything(store())).toEqual([['a', 'x']]);
  });

  it.each([
    ['U+0000', record('a\0b')],
    ['a lone surrogate', record('a\ud800b')],
    ['U+0000 in the collection', record('a', 'or\0ders')],
  ])('refuses %s, which it could not give back unchanged', async (_, id) => {
    await expect(store().commitLocal(append([id], 'x'))).rejects.toMatchObject({ code: 'malformed-record' });
    await expect(store().read(id)).rejects.toMatchObject({ code: 'malformed-record' });
  });
}

function concurrentTransactions(store: () => RecordStore): void {
  it('loses no write of many that create the same record at once (P3)', async () => {
    const marks = Array.from('abcdefghijklmnop');
    for (let round = 0; round < 10; round++) {
      const id = record(`new${round}`);
      await Promise.all(marks.map((mark) => store().commitLocal(append([id], mark))));
      expect(Array.from(text(await store().read(id)) ?? '').toSorted()).toEqual(marks);
    }
  });

  it('loses no write where a decision that writes nothing meets one that creates', async () => {
    for (let round = 0; round < 20; round++) {
      const id = record(`new${round}`);
      const idle = (): Promise<unknown> => store().commitLocal({ ids: [id], decide: () => [] });
      const writes = ['x', 'y', 'z'].map((mark) => store().commitLocal(append([id], mark)));
      await Promise.all([idle(), ...writes, idle()]);
      expect(Array.from(text(await store().read(id)) ?? '').toSorted()).toEqual(['x', 'y', 'z']);
    }
  });

  it('loses no write to records that are new beside those that were just there', async () => {
    const known = record('known');
    const marks = Array.from('wxyz');
    for (let round = 0; round < 10; round++) {
      for (let count = 0; count < 2; count++) await store().commitLocal(append([known], '.'));
      const id = record(`new${round}`);
      await Promise.all(marks.map((mark) => store().commitLocal(append([id, known], mark))));
      expect(Array.from(text(await store().read(id)) ?? '').toSorted()).toEqual(marks);
    }
    expect(text(await store().read(known))).toHaveLength(10 * (2 + marks.length));
  });

  it('lets batches with the same records in different orders pass each other', async () => {
    const ids = Array.from({ length: 40 }, (_, index) =>
      record(`k${index}`, index % 2 === 0 ? 'odd' : 'even'),
    );
    const orders = [
      ids,
      ids.toReversed(),
      [...ids.slice(20), ...ids.slice(0, 20)],
      ids.toSorted(byKeyLength),
    ];
    const batches = Array.from({ length: 24 }, (_, index) => append(orders[index % 4] ?? ids, '.'));
    // Where the adapter's server never looks for deadlocks, one of them would wait here until the test's deadline.
    await Promise.all(batches.map((batch) => store().commitLocal(batch)));
    for (const id of ids) expect(text(await store().read(id))).toBe('.'.repeat(24));
  });
}

function reading(store: () => RecordStore): void {
  const sorted = [
    '"',
    '%',
    "'; DROP TABLE x; --",
    '\\',
    '_',
    'a',
    'a/1',
    'a/1/x',
    'a/2',
    'aa',
    'b',
    'é',
    'é/1',
  ];
  // By UTF-8 bytes U+FFFD comes before U+1F600, by UTF-16 units after it.
  const keys = [...sorted, '日本', '\ufffd', '😀', '😀/1'];

  it('lists at most 1 MiB of states and one record more, and says where more follows', async () => {
    const sizes = [400, 400, 400, 10, 1100, 10, 10].map((kibibytes) => kibibytes * 1024);
    for (const [index, size] of sizes.entries()) {
      const id = record(`k${index}`);
      const decide = () => [{ index: 0, state: new Uint8Array(size).fill(1), delta: bytes('x') }];
      await store().commitLocal({ ids: [id], decide });
    }
    const pages: (readonly string[])[] = [];
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<RecordStore['list']>> = await store().list({
        collection: 'orders',
        prefix: 'k',
        after,
        limit: 3,
      });
      pages.push(page.map(({ key }) => key));
      if (isLastPage(page, 3)) break;
      after = page.at(-1)?.key ?? null;
    }
    expect(pages).toEqual([
      ['k0', 'k1', 'k2'],
      ['k3', 'k4'],
      ['k5', 'k6'],
    ]);
  });

  it('lists by the bytes of the keys, page by page', async () => {
    await store().commitLocal(
      append(
        keys.toReversed().map((key) => record(key)),
        'x',
      ),
    );
    await store().commitLocal(append([record('a', 'other')], 'y'));
    expect(await everything(store(), 3)).toEqual(keys.map((key) => [key, 'x']));
  });

  it.each([
    ['a/', ['a/1', 'a/1/x', 'a/2']],
    ['a', ['a', 'a/1', 'a/1/x', 'a/2', 'aa']],
    ['%', ['%']],
    ['_', ['_']],
    ['\\', ['\\']],
    ['é', ['é', 'é/1']],
    ['\ufffd', ['\ufffd']],
    ['😀', ['😀', '😀/1']],
    ['zzz', []],
  ])('lists the prefix %s', async (prefix, expected) => {
    await store().commitLocal(append([...keys.map((key) => record(key)), record('a', 'other')], 'x'));
    const listed = await store().list({ collection: 'orders', prefix, after: null, limit: 100 });
    expect(listed.map((stored) => stored.key)).toEqual(expected);
  });

  it('goes on after the cursor within the prefix, also where the cursor lies outside it', async () => {
    await store().commitLocal(
      append(
        keys.map((key) => record(key)),
        'x',
      ),
    );
    const list = async (after: string): Promise<readonly string[]> => {
      const page = await store().list({ collection: 'orders', prefix: 'a/', after, limit: 2 });
      return page.map((stored) => stored.key);
    };
    expect(await list('a/1')).toEqual(['a/1/x', 'a/2']);
    expect(await list('a/2')).toEqual([]);
    expect(await list('"')).toEqual(['a/1', 'a/1/x']);
    expect(await list('b')).toEqual([]);
  });

  it('scans a collection from one snapshot in bounded chunks', async () => {
    const size = 200 * 1024;
    const ids = Array.from({ length: 12 }, (_, index) => record(`k${String(index).padStart(2, '0')}`));
    for (const id of ids) {
      const state = new Uint8Array(size).fill(1);
      await store().commitLocal({ ids: [id], decide: () => [{ index: 0, state, delta: bytes('d') }] });
    }
    const scanned: string[] = [];
    for await (const chunk of store().scan('orders')) {
      const chunkBytes = chunk.reduce((sum, stored) => sum + stored.state.length, 0);
      expect(chunkBytes).toBeLessThan(chunkLimitBytes + size);
      scanned.push(...chunk.map((stored) => stored.key));
      await store().commitLocal(append([record(`later${scanned.length}`)], 'x'));
    }
    expect(scanned).toEqual(ids.map((id) => id.key));
  });

  it('can abandon a scan', async () => {
    await store().commitLocal(append([record('a')], 'x'));
    for (let round = 0; round < 20; round++) {
      for await (const chunk of store().scan('orders')) {
        expect(chunk).toHaveLength(1);
        break;
      }
    }
    expect(text(await store().read(record('a')))).toBe('x');
  });
}

/** Every record of the collection, read by pages. */
export async function everything(store: RecordStore, limit = 1000): Promise<(string | null)[][]> {
  const found: (string | null)[][] = [];
  let after: string | null = null;
  for (;;) {
    const page: Awaited<ReturnType<RecordStore['list']>> = await store.list({
      collection: 'orders',
      prefix: '',
      after,
      limit,
    });
    found.push(...page.map((stored) => [stored.key, text(stored.state)]));
    if (page.length < limit) return found;
    after = page.at(-1)?.key ?? null;
  }
}

function byKeyLength(a: RecordId, b: RecordId): number {
  return a.key.length - b.key.length || (a.key < b.key ? 1 : -1);
}

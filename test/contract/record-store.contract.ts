/**
 * What every `RecordStore` must do, whatever it is made of. States here are plain texts and a merge is an append, so
 * that a lost or doubled write shows in the stored text. It is long because it is one port's whole contract, and an
 * adapter is held to all of it or to nothing.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CountedBeat, RecordId } from '@isthmus/replication/ports/change';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { isLastPage } from '@isthmus/replication/ports/record-store';
import type {
  ApplyDecision,
  ApplyTransaction,
  DeadLetter,
  LocalTransaction,
  PositionMove,
  PositionRow,
  RecordStore,
} from '@isthmus/replication/ports/record-store';

export interface OpenRecordStore {
  readonly store: RecordStore;
  readonly close: () => Promise<void>;
}

const chunkLimitBytes = 1024 * 1024;
const origin = region('us');
const incarnation = { counter: 1, nonce: 7 };

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
    describe('positions', () => positions(store));
    describe('several positions', () => severalPositions(store));
    describe('dead letters', () => deadLetters(store));
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

  it('loses no write between local and applied transactions on one record', async () => {
    await store().createPosition(position({ applied: 0n, settled: 0n }));
    const apply = async (): Promise<void> => {
      for (let lsn = 1n; lsn <= 20n; lsn++) {
        await store().applyRemote(remote({ expected: lsn - 1n, applied: lsn, appends: 'r' }));
      }
    };
    const write = async (): Promise<void> => {
      for (let count = 0; count < 20; count++) await store().commitLocal(append([record('a')], 'l'));
    };
    await Promise.all([apply(), write(), write()]);
    const letters = Array.from(text(await store().read(record('a'))) ?? '');
    expect(letters.filter((letter) => letter === 'r')).toHaveLength(20);
    expect(letters.filter((letter) => letter === 'l')).toHaveLength(40);
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

function positions(store: () => RecordStore): void {
  it('creates a position once and never changes it by creating', async () => {
    expect(await store().positions(origin)).toEqual([]);
    const row = position({ applied: 2n ** 63n + 5n, settled: 7n, beat: beat(3, 6n), nextOffset: 2n ** 40n });
    await store().createPosition(row);
    await store().createPosition(position({ applied: 1n, settled: 1n }));
    await store().createPosition({ ...row, origin: region('asia') });
    expect(await store().positions(origin)).toEqual([row]);
  });

  it('moves a position with the rows of its batch', async () => {
    await store().createPosition(position({ applied: 5n, settled: 5n }));
    const newest = beat(4, 8n);
    const batch = remote({ expected: 5n, applied: 9n, beat: newest, nextOffset: 12n, appends: 'x' });
    expect(await store().applyRemote(batch)).toBe('applied');
    expect(text(await store().read(record('a')))).toBe('x');
    expect(await store().positions(origin)).toEqual([
      position({ applied: 9n, settled: 9n, beat: newest, nextOffset: 12n }),
    ]);
    await store().applyRemote({ ...remote({ expected: 9n, applied: 11n }), ids: [] });
    expect((await store().positions(origin))[0]).toMatchObject({ applied: 11n, settled: 11n, beat: newest });
  });

  it('fences an applier that starts from another position, and writes nothing for it (P4)', async () => {
    await store().createPosition(position({ applied: 5n, settled: 5n }));
    for (const expected of [4n, 6n]) {
      expect(await store().applyRemote(remote({ expected, applied: 9n, appends: 'x' }))).toBe('fenced');
    }
    const elsewhere = remote({ expected: 5n, applied: 9n, partition: 1, appends: 'x' });
    expect(await store().applyRemote(elsewhere)).toBe('fenced');
    expect(await everything(store())).toEqual([]);
    expect(await store().positions(origin)).toEqual([position({ applied: 5n, settled: 5n })]);
  });

  it('lets one of several appliers through', async () => {
    await store().createPosition(position({ applied: 0n, settled: 0n }));
    for (let lsn = 1n; lsn <= 10n; lsn++) {
      const batch = remote({ expected: lsn - 1n, applied: lsn, appends: 'x' });
      const outcomes = await Promise.all([1, 2, 3, 4].map(() => store().applyRemote(batch)));
      expect(outcomes.toSorted()).toEqual(['applied', 'fenced', 'fenced', 'fenced']);
    }
    expect(text(await store().read(record('a')))).toBe('x'.repeat(10));
  });

  it('undoes the position too when the decision throws', async () => {
    await store().createPosition(position({ applied: 5n, settled: 5n }));
    const thrown = new RangeError('no');
    const decide = (): never => {
      throw thrown;
    };
    await expect(store().applyRemote({ ...remote({ expected: 5n, applied: 9n }), decide })).rejects.toBe(
      thrown,
    );
    expect(await everything(store())).toEqual([]);
    expect(await store().positions(origin)).toEqual([position({ applied: 5n, settled: 5n })]);
  });
}

function severalPositions(store: () => RecordStore): void {
  const open = async (applied: readonly bigint[]): Promise<void> => {
    for (const [partition, at] of applied.entries()) {
      await store().createPosition(position({ partition, applied: at, settled: at }));
    }
  };

  it('moves all of them with the rows, each with its own beat and offset', async () => {
    await open([5n, 6n, 7n]);
    const moves = [
      move({
        partition: 2,
        expected: 7n,
        applied: 10n,
        beat: { ...beat(3, 9n), count: null },
        nextOffset: 4n,
      }),
      move({ partition: 0, expected: 5n, applied: 8n, beat: beat(2, 8n), nextOffset: 2n ** 40n }),
      move({ partition: 1, expected: 6n, applied: 2n ** 63n + 9n }),
    ];
    expect(await store().applyRemote(joint(moves, ['x', '', 'y']))).toBe('applied');
    expect(await everything(store())).toEqual([
      ['a', 'x'],
      ['c', 'y'],
    ]);
    expect(await store().positions(origin)).toEqual([
      position({ applied: 8n, settled: 8n, beat: beat(2, 8n), nextOffset: 2n ** 40n }),
      position({ partition: 1, applied: 2n ** 63n + 9n, settled: 2n ** 63n + 9n }),
      position({
        partition: 2,
        applied: 10n,
        settled: 10n,
        beat: { ...beat(3, 9n), count: null },
        nextOffset: 4n,
      }),
    ]);
  });

  it('writes nothing where one of them is fenced, and the others go on (P4)', async () => {
    await open([5n, 6n]);
    const [first, second, absent] = [
      move({ partition: 0, expected: 5n, applied: 8n, beat: beat(2, 8n) }),
      move({ partition: 1, expected: 5n, applied: 9n }),
      move({ partition: 2, expected: 0n, applied: 9n }),
    ];
    for (const stale of [
      second,
      absent,
      { ...second, expected: 6n, incarnation: { counter: 1, nonce: 8 } },
    ]) {
      expect(await store().applyRemote(joint([first, stale], ['x', 'y']))).toBe('fenced');
    }
    expect(await everything(store())).toEqual([]);
    expect(await store().positions(origin)).toEqual([
      position({ applied: 5n, settled: 5n }),
      position({ partition: 1, applied: 6n, settled: 6n }),
    ]);
    expect(await store().applyRemote(joint([first, { ...second, expected: 6n }], ['x', 'y']))).toBe(
      'applied',
    );
    expect(await store().positions(origin)).toMatchObject([{ applied: 8n }, { applied: 9n }]);
  });

  it('moves positions of different incarnations', async () => {
    await open([5n]);
    const newer = { counter: 2, nonce: 0 };
    await store().createPosition(position({ partition: 1, incarnation: newer, applied: 1n, settled: 1n }));
    const moves = [
      move({ expected: 5n, applied: 6n }),
      move({ partition: 1, incarnation: newer, expected: 1n, applied: 2n }),
    ];
    expect(await store().applyRemote(joint(moves, []))).toBe('applied');
    expect(await store().positions(origin)).toMatchObject([{ applied: 6n }, { applied: 2n }]);
  });

  it('undoes all of them when the decision throws', async () => {
    await open([5n, 6n]);
    const moves = [5n, 6n].map((expected, partition) => move({ partition, expected, applied: 9n }));
    const thrown = new RangeError('no');
    const decide = (): never => {
      throw thrown;
    };
    await expect(store().applyRemote({ ...joint(moves, ['x', 'y']), decide })).rejects.toBe(thrown);
    expect(await everything(store())).toEqual([]);
    expect(await store().positions(origin)).toMatchObject([{ applied: 5n }, { applied: 6n }]);
  });

  it('lets one of several appliers through, in whatever order they name the positions', async () => {
    await open([0n, 0n, 0n]);
    for (let lsn = 1n; lsn <= 10n; lsn++) {
      const moves = [0, 1, 2].map((partition) => move({ partition, expected: lsn - 1n, applied: lsn }));
      const orders = [moves, moves.toReversed(), [...moves.slice(1), ...moves.slice(0, 1)]];
      const outcomes = await Promise.all(
        orders.map((order) => store().applyRemote(joint(order, ['x', 'y']))),
      );
      expect(outcomes.toSorted()).toEqual(['applied', 'fenced', 'fenced']);
    }
    expect(text(await store().read(record('b')))).toBe('y'.repeat(10));
  });

  it('loses no write of appliers of different partitions that share records', async () => {
    await open([0n, 0n]);
    const apply = async (partition: number, mark: string): Promise<void> => {
      for (let lsn = 1n; lsn <= 15n; lsn++) {
        const moved = move({ partition, expected: lsn - 1n, applied: lsn });
        expect(await store().applyRemote(joint([moved], [mark, mark]))).toBe('applied');
      }
    };
    await Promise.all([apply(0, 'x'), apply(1, 'y')]);
    for (const key of ['a', 'b']) {
      const letters = Array.from(text(await store().read(record(key))) ?? '');
      expect(letters.toSorted().join('')).toBe('x'.repeat(15) + 'y'.repeat(15));
    }
  });

  it('holds back the settled position of the partition whose change was put aside, and no other', async () => {
    await open([0n, 0n]);
    const refused = {
      lsn: 3n,
      index: 0,
      delta: bytes('bad'),
      cause: 'malformed',
      detail: 'no delta',
      stampMs: null,
    } as const;
    const moves = [0, 1].map((partition) =>
      move({ partition, expected: 0n, applied: 9n, beat: beat(1, 9n) }),
    );
    const letters = [{ ...record('b'), partition: 1, ...refused }];
    await store().applyRemote({
      ...joint(moves, ['x']),
      decide: () => ({ writes: [], deadLetters: letters }),
    });
    expect(await store().positions(origin)).toEqual([
      position({ applied: 9n, settled: 9n, beat: beat(1, 9n) }),
      position({ partition: 1, applied: 9n, settled: 2n }),
    ]);
  });
}

function deadLetters(store: () => RecordStore): void {
  const letter = (lsn: bigint, index = 0): DeadLetter => ({
    ...record('a\0'),
    partition: 0,
    lsn,
    index,
    delta: bytes('bad'),
    cause: 'malformed',
    detail: 'not a delta',
    stampMs: null,
  });

  it('holds back settled and the beat, but not applied', async () => {
    await store().createPosition(position({ applied: 0n, settled: 0n }));
    await store().applyRemote(remote({ expected: 0n, applied: 10n, beat: beat(1, 10n), appends: 'x' }));
    const refused = { writes: [], deadLetters: [letter(15n), letter(13n), letter(13n, 1)] };
    const batch = { ...remote({ expected: 10n, applied: 20n, beat: beat(2, 20n) }), decide: () => refused };
    expect(await store().applyRemote(batch)).toBe('applied');
    await store().applyRemote(remote({ expected: 20n, applied: 30n, beat: beat(3, 30n), appends: 'y' }));
    expect(await store().positions(origin)).toEqual([
      position({ applied: 30n, settled: 12n, beat: beat(1, 10n) }),
    ]);
    expect(text(await store().read(record('a')))).toBe('xy');
    expect(await store().countDeadLetters()).toMatchObject([{ origin, cause: 'malformed', count: 3 }]);
  });

  it('takes a beat that lies before the oldest of them', async () => {
    await store().createPosition(position({ applied: 0n, settled: 0n }));
    const refused = { writes: [], deadLetters: [letter(15n)] };
    const batch = { ...remote({ expected: 0n, applied: 20n, beat: beat(2, 14n) }), decide: () => refused };
    await store().applyRemote(batch);
    expect(await store().positions(origin)).toEqual([
      position({ applied: 20n, settled: 14n, beat: beat(2, 14n) }),
    ]);
  });

  it('settles the beat before the oldest of them also where both came with it', async () => {
    await store().createPosition(position({ applied: 5n, settled: 5n, beat: beat(1, 5n) }));
    const late = { ...letter(25n), beatBefore: beat(4, 22n) };
    const early = { ...letter(15n), beatBefore: beat(2, 14n) };
    const refused = { writes: [], deadLetters: [late, early] };
    const batch = { ...remote({ expected: 5n, applied: 30n, beat: beat(5, 30n) }), decide: () => refused };
    await store().applyRemote(batch);
    const stands = position({ applied: 30n, settled: 14n, beat: beat(2, 14n) });
    expect(await store().positions(origin)).toEqual([stands]);
    await store().applyRemote(remote({ expected: 30n, applied: 31n }));
    expect(await store().positions(origin)).toEqual([{ ...stands, applied: 31n }]);
  });

  it('knows one that it has stored already', async () => {
    for (const partition of [0, 1]) {
      await store().createPosition({ ...position({ applied: 0n, settled: 0n }), partition });
    }
    const refused = { writes: [], deadLetters: [letter(1n)] };
    for (const [expected, applied] of [
      [0n, 1n],
      [1n, 2n],
    ] as const) {
      await store().applyRemote({ ...remote({ expected, applied }), decide: () => refused });
    }
    expect(await store().countDeadLetters()).toMatchObject([{ origin, cause: 'malformed', count: 1 }]);
    await store().applyRemote(remote({ expected: 0n, applied: 9n, partition: 1 }));
    expect((await store().positions(origin))[1]).toMatchObject({ partition: 1, settled: 9n });
  });
}

/** Every record of the collection, read by pages. */
async function everything(store: RecordStore, limit = 1000): Promise<(string | null)[][]> {
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

function position(values: Partial<PositionRow> & Pick<PositionRow, 'applied' | 'settled'>): PositionRow {
  return { origin, incarnation, partition: 0, beat: null, nextOffset: 0n, ...values };
}

type Move = Partial<PositionMove> & Pick<PositionMove, 'expected' | 'applied'>;

function move(values: Move): PositionMove {
  return { incarnation, partition: 0, beat: null, nextOffset: 0n, ...values };
}

/** Moves one position, and appends to one record. */
function remote({ appends = '', ...values }: Move & { readonly appends?: string }): ApplyTransaction {
  return joint([move(values)], [appends]);
}

/** Moves all of the positions, and appends to the record of each, which is a, b, c and so on. */
function joint(moves: readonly PositionMove[], appends: readonly string[]): ApplyTransaction {
  const decide = (states: readonly Uint8Array[]): ApplyDecision => ({
    writes: appends.flatMap((mark, index) =>
      mark === '' ? [] : [{ index, state: bytes(`${text(states[index]) ?? ''}${mark}`) }],
    ),
    deadLetters: [],
  });
  const ids = appends.map((_, index) => record(String.fromCharCode(97 + index)));
  return { origin, positions: moves, ids, decide };
}

function beat(number: number, end: bigint): CountedBeat {
  return { number, lsn: end - 1n, atMs: 1_700_000_000_000.125 + number, count: number * 3, end };
}

function byKeyLength(a: RecordId, b: RecordId): number {
  return a.key.length - b.key.length || (a.key < b.key ? 1 : -1);
}

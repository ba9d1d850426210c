/**
 * What every `RecordStore` owes the applier: records and positions move together or not at all, and what is put aside holds
 * back what is settled and nothing else (P4). States here are plain texts and a merge is an append, so that a change that
 * is lost or applied twice shows in the stored text.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CountedBeat } from '@isthmus/replication/ports/change';
import type {
  ApplyDecision,
  ApplyTransaction,
  DeadLetter,
  PositionMove,
  PositionRow,
  RecordStore,
} from '@isthmus/replication/ports/record-store';
import {
  append,
  bytes,
  everything,
  type OpenRecordStore,
  record,
  region,
  text,
} from './record-store.contract.ts';

const origin = region('us');
const incarnation = { counter: 1, nonce: 7 };

export function recordPositionsContract(name: string, open: () => Promise<OpenRecordStore>): void {
  describe(`positions of RecordStore: ${name}`, () => {
    let opened: OpenRecordStore;
    const store = (): RecordStore => opened.store;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });
    describe('positions', () => positions(store));
    describe('many bytes', () => manyBytes(store));
    describe('several positions', () => severalPositions(store));
    describe('dead letters', () => deadLetters(store));
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

/** A batch that is made smaller comes again; nothing of it may have been done. */
function manyBytes(store: () => RecordStore): void {
  it('refuses to read more bytes of states than it was allowed, and moves nothing then (I12)', async () => {
    const ids = [record('a'), record('b')];
    for (const id of ids) await store().commitLocal(append([id], 'x'.repeat(1000)));
    await store().createPosition(position({ applied: 0n, settled: 0n }));
    const moves = [move({ expected: 0n, applied: 9n })];
    const apply = (maxStateBytes: number) =>
      store().applyRemote({
        origin,
        positions: moves,
        ids,
        maxStateBytes,
        decide: () => ({ writes: [{ index: 1, state: bytes('y') }], deadLetters: [] }),
      });
    await expect(apply(1999)).rejects.toMatchObject({ code: 'transaction-too-large' });
    expect((await store().positions(origin)).map(({ applied }) => applied)).toEqual([0n]);
    expect(await apply(2000)).toBe('applied');
    expect(text(await store().read(record('b')))).toBe('y');
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
      const bare = { ...joint([first, stale], []), ids: [], decide: () => ({ writes: [], deadLetters: [] }) };
      expect(await store().applyRemote(bare)).toBe('fenced');
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

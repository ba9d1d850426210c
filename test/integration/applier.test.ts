/**
 * The applier over a feed that the test fills and a store that it can hold: what goes together, what stops alone, and
 * what a fence or a failure in the middle leaves to be done.
 */
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { ReplicationError } from '@isthmus/replication/errors';
import { describe, expect, test, vi } from 'vitest';
import {
  ascending,
  incarnation,
  origin,
  partitionCount,
  record,
  ScriptedFeed,
  useApplier,
} from './applier-bench.ts';

const used = useApplier();

describe('what goes together', () => {
  test('what one fetch brings for several partitions is one transaction, empty intervals included', async () => {
    used.bench.feed.push(record(0, [10n, 20n]), record(1, [10n, 21n], 0), record(3, [10n, 22n], 2));
    await used.bench.reaches([20n, 21n, 10n, 22n]);
    expect(used.bench.store.carried).toEqual([[0, 1, 3]]);
    expect(used.bench.reports).toMatchObject([{ records: 3, changes: 3, beatAtMs: 20 }]);
  });

  test('what arrives while a transaction is in flight goes into the next one', async () => {
    const release = used.bench.hold();
    used.bench.feed.push(record(2, [10n, 15n]));
    await vi.waitFor(() => expect(used.bench.store.transactions).toHaveLength(1));
    used.bench.feed.push(record(0, [10n, 20n]), record(2, [15n, 20n]));
    used.bench.feed.push(record(1, [10n, 20n], 0), record(0, [20n, 30n]));
    await vi.waitFor(() => expect(used.bench.heard).toBe(5));
    release();
    await used.bench.reaches([30n, 20n, 20n, 10n]);
    expect(used.bench.store.carried).toEqual([[2], [0, 1, 2]]);
  });

  test('a transaction stays within 500 changes over all of its partitions, and every partition gets its turn', async () => {
    used.bench.feed.push(...[0, 1, 2, 3].map((partition) => record(partition, [10n, 20n], 200)));
    await used.bench.reaches([20n, 20n, 20n, 20n]);
    expect(used.bench.store.transactions.map(({ ids }) => ids.length)).toEqual([400, 400]);
    expect(used.bench.store.carried.flat().toSorted(ascending)).toEqual([0, 1, 2, 3]);
  });
});

describe('what stops alone', () => {
  test('a gap in one partition leaves the others alone (I3)', async () => {
    used.bench.feed.push(record(0, [10n, 20n]), record(1, [15n, 20n]), record(2, [10n, 20n]));
    await used.bench.reaches([20n, 10n, 20n, 10n]);
    await vi.waitFor(() => expect(used.bench.gaps).toEqual([1]));
    used.bench.feed.push(record(0, [20n, 30n]), record(1, [20n, 30n]), record(3, [10n, 30n]));
    await used.bench.reaches([30n, 10n, 20n, 30n]);
    expect(used.bench.applier.readings[1]).toMatchObject({ kind: 'gap', applied: 10n, resumesAt: 15n });
    expect(used.bench.store.carried.flat()).not.toContain(1);
  });

  test('a log that is made anew while a partition is read again holds up its gap for seconds only (I3)', async () => {
    let skippedMs = 0;
    await used.bench.applier.close();
    used.bench.feed = new ScriptedFeed();
    const monotonicMs = (): number => systemTimer.monotonicMs() + skippedMs;
    used.bench.applier = used.bench.newApplier({ ...systemTimer, monotonicMs });
    used.bench.applier.start();
    const old = [20n, 30n, 40n, 50n].map((to) => record(1, [to - 10n, to]));
    used.bench.feed.push(...old);
    await used.bench.reaches([10n, 50n, 10n, 10n]);
    used.bench.feed.isMadeAnew = true;
    used.bench.feed.push(record(1, [55n, 60n]));
    const reading = () => used.bench.applier.readings[1];
    await vi.waitFor(() => expect(reading()).toMatchObject({ kind: 'rereading', until: 5n }));
    used.bench.feed.push(record(1, [60n, 70n]));
    skippedMs = 6000;
    used.bench.feed.push(record(1, [70n, 80n]));
    await vi.waitFor(() => expect(used.bench.gaps).toEqual([1]));
    expect(reading()).toMatchObject({ kind: 'gap', cause: 'missing-interval', applied: 50n });
    expect(used.bench.feed.rewinds.at(-1)).toEqual([1, null]);
  });

  test('a partition that stands looks again where its look after a transfer has failed', async () => {
    used.bench.feed.push(record(1, [15n, 20n]));
    await vi.waitFor(() => expect(used.bench.gaps).toEqual([1]));
    const { positions } = used.bench.store.tables;
    const raised = (await used.bench.store.positions(origin)).map((row) => ({
      ...row,
      applied: 20n,
      settled: 20n,
    }));
    used.bench.database.transact(true, () => positions.put(origin, raised));
    const failing = Promise.reject(unavailable());
    failing.catch(() => undefined);
    used.bench.store.tellsPositions = failing;
    const before = used.bench.warnings.length;
    used.bench.applier.recheck();
    await vi.waitFor(() => expect(used.bench.warnings.length).toBeGreaterThan(before));
    used.bench.store.tellsPositions = Promise.resolve();
    used.bench.feed.push(record(1, [20n, 30n]));
    await used.bench.reaches([20n, 30n, 20n, 20n]);
    expect(used.bench.applier.readings[1]).toMatchObject({ kind: 'live', applied: 30n });
  });

  test('a partition whose transactions fail is tried by itself, and the others go on', async () => {
    used.bench.store.before = async ({ positions }) => {
      if (positions.some(({ partition }) => partition === 1)) throw unavailable();
    };
    used.bench.feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]), record(2, [10n, 20n]));
    await used.bench.reaches([20n, 10n, 20n, 10n]);
    used.bench.feed.push(record(0, [20n, 30n]), record(3, [10n, 30n]));
    await used.bench.reaches([30n, 10n, 20n, 30n]);
    expect(used.bench.store.carried[0]).toEqual([0, 1, 2]);
    expect(
      used.bench.store.carried
        .slice(1)
        .filter((partitions) => partitions.includes(1) && partitions.length > 1),
    ).toEqual([]);
    used.bench.store.before = async () => {};
    await used.bench.reaches([30n, 20n, 20n, 30n]);
    used.bench.feed.push(record(0, [30n, 40n]), record(1, [20n, 40n]));
    await used.bench.reaches([40n, 40n, 20n, 30n]);
    expect(used.bench.store.carried.at(-1)).toEqual([0, 1]);
  });

  test('a partition that waits long for its turn does not hold up the others', async () => {
    const { opened, open } = used.bench.gate();
    used.bench.store.before = async ({ positions }) => {
      if (positions.every(({ partition }) => partition !== 1)) return;
      if (positions.length > 1) throw unavailable();
      await opened;
    };
    used.bench.feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]));
    await used.bench.reaches([20n, 10n, 10n, 10n]);
    await vi.waitFor(() => expect(used.bench.store.carried).toContainEqual([1]));
    used.bench.feed.push(record(0, [20n, 30n]), record(1, [20n, 30n]), record(2, [10n, 30n]));
    await used.bench.reaches([30n, 10n, 30n, 10n]);
    open();
    await used.bench.reaches([30n, 30n, 30n, 10n]);
    expect(used.bench.store.carried.filter((partitions) => partitions.includes(1))).toEqual([
      [0, 1],
      [1],
      [1],
    ]);
  });

  test('after the outcome of a transaction was unknown, its rows tell what is left', async () => {
    used.bench.store.before = async (transaction) => {
      used.bench.store.before = async () => {};
      await MemoryRecordStore.prototype.applyRemote.call(used.bench.store, transaction);
      throw unavailable();
    };
    used.bench.feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]));
    await used.bench.reaches([20n, 20n, 10n, 10n]);
    used.bench.feed.push(record(0, [20n, 30n]));
    await used.bench.reaches([30n, 20n, 10n, 10n]);
    expect(used.bench.store.carried).toEqual([[0, 1], [0]]);
    expect(used.bench.fenced).toBe(0);
  });
});

describe('an applier that is closed', () => {
  test('while it asks for its positions ends, and reads no log', async () => {
    const { opened, open } = used.bench.gate();
    used.bench.store.tellsPositions = opened;
    const late = used.bench.newApplier();
    const before = used.bench.subscriptions;
    late.start();
    const closing = late.close();
    open();
    await closing;
    expect(used.bench.subscriptions).toBe(before);
  }, 10_000);
});

describe('a stale applier', () => {
  test('is fenced where another went on, writes nothing of that transaction, and goes on from the rows (P4)', async () => {
    const release = used.bench.hold();
    used.bench.feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]), record(2, [10n, 20n]));
    await vi.waitFor(() => expect(used.bench.store.transactions).toHaveLength(1));
    const move = { incarnation, partition: 1, expected: 10n, applied: 25n, beat: null, nextOffset: 1n };
    const other = { origin, positions: [move], ids: [], decide: () => ({ writes: [], deadLetters: [] }) };
    expect(await MemoryRecordStore.prototype.applyRemote.call(used.bench.store, other)).toBe('applied');
    release();
    await used.bench.reaches([20n, 25n, 20n, 10n]);
    expect(used.bench.fenced).toBe(1);
    expect(await used.bench.store.read({ collection: 'products', key: 'p1-20-0' })).toBeNull();
    expect(await used.bench.store.read({ collection: 'products', key: 'p2-20-0' })).not.toBeNull();
    used.bench.feed.push(record(1, [20n, 30n]), record(3, [10n, 30n]));
    await used.bench.reaches([20n, 30n, 20n, 30n]);
    expect(used.bench.applier.readings[1]).toMatchObject({ kind: 'live', applied: 30n });
  });
});

describe('a database that is set back to where it knew an earlier life alone', () => {
  test('opens the later one anew, and misses nothing of the earlier one for what it had seen of the later (P9)', async () => {
    const later = { counter: 2, nonce: 2 };
    const start = {
      kind: 'start',
      origin,
      incarnation: later,
      partition: 0,
      partitionCount,
      at: 100n,
    } as const;
    const ofLater = (reach: readonly [bigint, bigint]) => ({ ...record(0, reach), incarnation: later });
    const laterRow = async () =>
      (await used.bench.store.positions(origin)).find((row) => row.incarnation.counter === later.counter);
    used.bench.feed.push(start, ofLater([100n, 110n]));
    await vi.waitFor(async () => expect((await laterRow())?.applied).toBe(110n));
    const { positions } = used.bench.store.tables;
    const earlier = (await used.bench.store.positions(origin)).filter((row) => row.incarnation.counter === 1);
    used.bench.database.transact(true, () => positions.put(origin, earlier));
    used.bench.feed.push(ofLater([110n, 120n]));
    await vi.waitFor(async () => expect((await laterRow())?.applied).toBe(120n));
    const closed = { region: origin, incarnation, partition: 0, lsn: 10n };
    expect(used.bench.openings).toEqual([start, start].map((each) => ({ origin, start: each, closed })));
    expect(used.bench.gaps).toEqual([]);
  });
});

function unavailable(): ReplicationError {
  return new ReplicationError('database-unavailable', 'gone', { retriable: true });
}

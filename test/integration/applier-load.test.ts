/** The applier where more waits than a transaction takes, or takes it longer than others can wait for. */
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { ReplicationError } from '@isthmus/replication/errors';
import { describe, expect, test, vi } from 'vitest';
import { partitionCount, patient, record, ScriptedFeed, useApplier } from './applier-bench.ts';

const used = useApplier();

/** In one commit; three partitions with as many are more than a transaction leaves to the next. */
const backlogChanges = 1800;

describe('what is too much for the database', () => {
  const commits = Array.from({ length: 40 }, (_, at) => record(0, [BigInt(10 + at), BigInt(11 + at)]));

  test('comes again in smaller transactions, down to one commit, and they grow again (W, I12)', async () => {
    let most = 1;
    used.bench.store.before = async ({ ids }) => {
      if (ids.length > most) throw new ReplicationError('overloaded', 'took too long', { retriable: true });
    };
    used.bench.feed.push(...commits, record(1, [10n, 50n]));
    await vi.waitFor(
      async () => expect(await used.bench.store.applied()).toEqual([50n, 50n, 10n, 10n]),
      patient,
    );
    expect(used.bench.store.transactions.length).toBeLessThan(100);
    most = 1000;
    for (let to = 60n; to < 200n; to += 10n) {
      used.bench.feed.push(record(2, [to - (to === 60n ? 50n : 10n), to], 15));
      await used.bench.reaches([50n, 50n, to, 10n]);
    }
    expect(used.bench.store.transactions.at(-1)?.ids.length).toBe(15);
  });

  test('is told before its states are read, and a single commit may take all of them', async () => {
    used.bench.warnings.splice(0);
    used.bench.store.before = async ({ ids, maxStateBytes = Infinity }) => {
      const detail = 'so many states';
      if (ids.length * 1024 * 1024 > maxStateBytes)
        throw new ReplicationError('transaction-too-large', detail, { retriable: false });
    };
    used.bench.feed.push(record(1, [10n, 50n], 30), ...commits);
    await used.bench.reaches([50n, 50n, 10n, 10n]);
    expect(used.bench.warnings).toEqual([]);
    expect(
      used.bench.store.transactions.filter(({ maxStateBytes }) => maxStateBytes === Infinity),
    ).not.toEqual([]);
  });
});

test('where the database is slow, transactions get as small as local writers can wait for', async () => {
  await used.bench.applier.close();
  used.bench.feed = new ScriptedFeed();
  let slowMs = 0;
  const msOfChange = 5;
  used.bench.store.before = async ({ ids }) => {
    slowMs += ids.length * msOfChange;
  };
  used.bench.applier = used.bench.newApplier({
    ...systemTimer,
    monotonicMs: () => systemTimer.monotonicMs() + slowMs,
  });
  used.bench.applier.start();
  const ends = Array.from({ length: 300 }, (_, index) => BigInt(20 + index * 10));
  used.bench.feed.push(...ends.map((to) => record(0, [to - 10n, to], 10)));
  await vi.waitFor(async () => expect((await used.bench.store.applied())[0]).toBe(ends.at(-1)), patient);
  const sizes = used.bench.store.transactions.map(({ ids }) => ids.length);
  expect(Math.max(...sizes)).toBeGreaterThan(100);
  expect(Math.max(...sizes.slice(-20))).toBeLessThanOrEqual(100 / msOfChange);
});

describe('a backlog', () => {
  test('is applied by two transactions at once that share no partition, and by one where little waits', async () => {
    const { opened, open } = used.bench.gate();
    used.bench.store.before = () => opened;
    const partitions = [0, 1, 2, 3];
    used.bench.feed.push(...partitions.map((partition) => record(partition, [10n, 20n], backlogChanges)));
    await vi.waitFor(() => expect(used.bench.store.carried).toHaveLength(2), patient);
    used.bench.feed.push(...partitions.map((partition) => record(partition, [20n, 30n])));
    await vi.waitFor(() => expect(used.bench.heard).toBe(2 * partitionCount), patient);
    expect(used.bench.store.carried).toHaveLength(2);
    expect(new Set(used.bench.store.carried.flat()).size).toBe(2);
    open();
    await used.bench.reaches([30n, 30n, 30n, 30n]);
    expect(used.bench.reports.reduce((sum, { changes }) => sum + changes, 0)).toBe(
      partitionCount * (backlogChanges + 1),
    );
    expect(used.bench.fenced).toBe(0);
    const before = used.bench.store.carried.length;
    const release = used.bench.hold();
    used.bench.feed.push(record(0, [30n, 40n]), record(1, [30n, 40n]));
    await vi.waitFor(() => expect(used.bench.store.carried).toHaveLength(before + 1), patient);
    used.bench.feed.push(record(2, [30n, 40n]), record(3, [30n, 40n]));
    await vi.waitFor(() => expect(used.bench.heard).toBe(3 * partitionCount), patient);
    expect(used.bench.store.carried).toHaveLength(before + 1);
    release();
    await used.bench.reaches([40n, 40n, 40n, 40n]);
  });

  test('of one partition is applied by one transaction at a time', async () => {
    const release = used.bench.hold();
    const ends = [20n, 30n, 40n];
    used.bench.feed.push(...ends.map((to) => record(0, [to - 10n, to], backlogChanges)));
    await vi.waitFor(() => expect(used.bench.heard).toBe(ends.length), patient);
    await vi.waitFor(() => expect(used.bench.store.carried).toEqual([[0]]), patient);
    // Two turns are what a second transaction would take to begin.
    for (let turn = 0; turn < 2; turn++)
      await new Promise((resolve) => systemTimer.turn(() => resolve(null)));
    expect(used.bench.store.carried).toEqual([[0]]);
    release();
    await used.bench.reaches([40n, 10n, 10n, 10n]);
    expect(used.bench.fenced).toBe(0);
  });
});

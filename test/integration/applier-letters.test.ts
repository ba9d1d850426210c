/** The applier where changes are put aside, up to where there is no room for more. */
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { describe, expect, test, vi } from 'vitest';
import { mebibyte, origin, patient, poison, record, useApplier } from './applier-bench.ts';

const used = useApplier();

test('changes that are put aside are told of in the log, once they are stored', async () => {
  used.bench.warnings.splice(0);
  used.bench.store.isFull = true;
  used.bench.feed.push(poison(1, [10n, 20n]));
  await vi.waitFor(() => expect(used.bench.applier.lackingRoom).toEqual([1]), patient);
  expect(used.bench.warnings.filter(({ cause }) => cause !== undefined)).toEqual([]);
  used.bench.store.isFull = false;
  await vi.waitFor(
    async () => expect(await used.bench.store.applied()).toEqual([10n, 20n, 10n, 10n]),
    patient,
  );
  await vi.waitFor(() =>
    expect(used.bench.warnings).toContainEqual({ origin, partition: 1, cause: 'newer-format', count: 1 }),
  );
});

describe('dead letters at their bound', () => {
  test('let the partition wait that would add to them, visibly, and no other; then it goes on (P4, I12)', async () => {
    used.bench.store.isFull = true;
    used.bench.feed.push(record(0, [10n, 20n]), poison(1, [10n, 20n]), record(2, [10n, 20n]));
    await used.bench.reaches([20n, 10n, 20n, 10n]);
    await vi.waitFor(() => expect(used.bench.applier.lackingRoom).toEqual([1]), patient);
    used.bench.feed.push(record(0, [20n, 30n]), record(1, [20n, 30n]));
    await used.bench.reaches([30n, 10n, 20n, 10n]);
    expect([used.bench.applier.lackingRoom, used.bench.applier.readings[1]]).toMatchObject([
      [1],
      { kind: 'live', applied: 10n },
    ]);
    expect(used.bench.fenced).toBe(0);
    used.bench.store.isFull = false;
    await vi.waitFor(
      async () => expect(await used.bench.store.applied()).toEqual([30n, 30n, 20n, 10n]),
      patient,
    );
    expect(used.bench.applier.lackingRoom).toEqual([]);
  });

  test.each([
    ['is queued when that begins', 7, 7],
    ['comes after that', 0, 7],
    ['is queued and nothing comes any more', 3, 3],
  ])('stop no other partition, however much %s; all is read again (P4, I12, I3)', async (_, early, count) => {
    const small = [poison(1, [10n, 15n], 1, 300), poison(1, [15n, 20n], 1, 300)];
    const ends = [30n, 40n, 50n, 60n, 70n, 80n, 90n].slice(0, count);
    const large = ends.map((to) => poison(1, [to - 10n, to], mebibyte));
    const end = ends.at(-1) ?? 0n;
    used.bench.store.isFull = true;
    used.bench.feed.push(...small, ...large.slice(0, early));
    await vi.waitFor(() => expect(used.bench.applier.lackingRoom).toEqual([1]), patient);
    const { opened, open } = used.bench.gate();
    used.bench.store.before = ({ positions }) =>
      positions.some(({ partition }) => partition === 1) ? opened : Promise.resolve();
    used.bench.feed.push(...large.slice(early), record(0, [10n, 20n]), record(2, [10n, 20n]));
    await used.bench.reaches([20n, 10n, 20n, 10n]);
    expect([
      used.bench.feed.rewinds,
      used.bench.applier.lackingRoom,
      used.bench.applier.readings[1]?.kind,
    ]).toEqual([[], [1], 'live']);
    used.bench.feed.isDeaf = true;
    used.bench.store.isFull = false;
    open();
    await vi.waitFor(() => expect(used.bench.feed.rewinds.length).toBeGreaterThan(1), patient);
    used.bench.feed.isDeaf = false;
    await vi.waitFor(
      async () => expect(await used.bench.store.applied()).toEqual([20n, end, 20n, 10n]),
      patient,
    );
    expect([
      used.bench.gaps,
      used.bench.fenced,
      (await used.bench.store.positions(origin))[1]?.settled,
    ]).toEqual([[], 0, 14n]);
    used.bench.feed.push(record(1, [end, end + 10n]), record(3, [10n, 20n]));
    await used.bench.reaches([20n, end + 10n, 20n, 20n]);
    expect(new Set(used.bench.feed.rewinds.map(([, from]) => from)).size).toBe(1);
    expect(used.bench.feed.rewinds[0]?.[1]).toBeGreaterThan(0n);
  });

  test('stop no other partition where one record of each that waits is more than all may hold', async () => {
    used.bench.store.isFull = true;
    used.bench.feed.push(...[1, 2, 3].map((partition) => poison(partition, [10n, 20n], 2 * mebibyte)));
    await vi.waitFor(() => expect(used.bench.applier.lackingRoom).toEqual([1, 2, 3]), patient);
    used.bench.feed.push(record(0, [10n, 20n]));
    await vi.waitFor(() => expect(used.bench.heard).toBe(4), patient);
    used.bench.feed.push(record(0, [20n, 30n]));
    await used.bench.reaches([30n, 10n, 10n, 10n]);
  });

  test('are not looked at again and again while another partition is applied', async () => {
    used.bench.store.isFull = true;
    used.bench.feed.push(poison(1, [10n, 20n], mebibyte));
    await vi.waitFor(() => expect(used.bench.applier.lackingRoom).toEqual([1]), patient);
    const { opened, open } = used.bench.gate();
    used.bench.store.before = ({ positions }) =>
      positions.some(({ partition }) => partition === 0) ? opened : Promise.resolve();
    used.bench.feed.push(record(0, [10n, 20n]));
    await vi.waitFor(() => expect(used.bench.store.carried).toContainEqual([0]), patient);
    const turns = vi.spyOn(systemTimer, 'turn');
    for (let passed = 0; passed < 100; passed++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns.mock.calls.length).toBeLessThan(20);
    turns.mockRestore();
    open();
    await used.bench.reaches([20n, 10n, 10n, 10n]);
  });
});

/**
 * The applier over a feed that the test fills and a store that it can hold: what goes together, what stops alone, and
 * what a fence or a failure in the middle leaves to be done.
 */
import { register, schema } from '@isthmus/conflict';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { systemTimer } from '../adapters/node/system-timer.ts';
import { ReplicationError } from '../errors.ts';
import { encodeLogRecord } from '../log/log-record.ts';
import type { ChangesRecord, LogRecord, PlacedChange } from '../log/log-record.ts';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { RegionId } from '../ports/identity.ts';
import type { ApplyOutcome, ApplyTransaction, PositionRow } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { Applier } from './applier.ts';
import type { AppliedReport } from './lane.ts';
import type { Opening } from './partition-queue.ts';

const origin = parseRegionId('eu') ?? expect.fail('eu is a region');
const incarnation = { counter: 1, nonce: 1 };
const partitionCount = 4;
/** In one commit; three partitions with as many are more than a transaction leaves to the next. */
const backlogChanges = 1800;
const mebibyte = 1024 * 1024;
/** Making and reading so many changes takes a while. */
const patient = { timeout: 10_000 };
const products = schema({ title: register() });
const warnings: Readonly<Record<string, unknown>>[] = [];
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Delivers what the test pushes; `rewind` delivers a partition again from where it is to. */
class ScriptedFeed implements FeedSubscription {
  readonly connected = true;
  /** Where partitions were taken back to; `null`: their beginning. */
  readonly rewinds: (readonly [number, bigint | null])[] = [];
  /** Answers no question about its ends. */
  isDeaf = false;
  readonly #log: FeedBatch[] = [];
  readonly #unread: FeedBatch[] = [];
  #reader: ((batch: FeedBatch | null) => void) | null = null;
  #isClosed = false;

  push(...records: readonly LogRecord[]): void {
    for (const pushed of records) {
      const { partition } = pushed;
      const offset = BigInt(this.#log.filter((batch) => batch.partition === partition).length);
      const batch = { partition, records: [{ offset, bytes: encodeLogRecord(pushed) }] };
      this.#log.push(batch);
      this.#hand(batch);
    }
  }

  async next(): Promise<FeedBatch | null> {
    const batch = this.#unread.shift();
    if (batch !== undefined) return batch;
    if (this.#isClosed) return null;
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  async rewind(partition: number, from: bigint | null = null): Promise<bigint> {
    this.rewinds.push([partition, from]);
    if (this.isDeaf) throw new ReplicationError('log-unavailable', 'deaf', { retriable: true });
    const own = this.#log.filter((batch) => batch.partition === partition);
    const again = own.slice(Number(from ?? 0n));
    for (const batch of again) setImmediate(() => this.#hand(batch));
    return BigInt(own.length);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#reader?.(null);
  }

  #hand(batch: FeedBatch): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) this.#unread.push(batch);
    else reader(batch);
  }
}

/** Notes what comes, and answers when and as the test wants. */
class WatchedStore extends MemoryRecordStore {
  readonly transactions: ApplyTransaction[] = [];
  /** Awaited before positions are told. */
  tellsPositions: Promise<void> = Promise.resolve();
  /** As a store whose dead letters have no room. */
  isFull = false;
  /** Asked before each transaction; what it throws is the answer. */
  before: (transaction: ApplyTransaction) => Promise<void> = async () => {};

  override async applyRemote(transaction: ApplyTransaction): Promise<ApplyOutcome> {
    this.transactions.push(transaction);
    await this.before(transaction);
    if (
      this.isFull &&
      transaction.decide(transaction.ids.map(() => new Uint8Array(0))).deadLetters.length > 0
    )
      return 'full';
    return super.applyRemote(transaction);
  }

  override async positions(of: RegionId): Promise<readonly PositionRow[]> {
    await this.tellsPositions;
    return super.positions(of);
  }

  /** The partitions of each transaction so far. */
  get carried(): readonly (readonly number[])[] {
    return this.transactions.map(({ positions }) =>
      positions.map((move) => move.partition).toSorted(ascending),
    );
  }

  async applied(): Promise<readonly bigint[]> {
    return (await this.positions(origin)).map(({ applied }) => applied);
  }
}

let database: MemoryDatabase;
let store: WatchedStore;
let feed: ScriptedFeed;
let applier: Applier;
let reports: AppliedReport[];
let fenced: number;
let gaps: number[];
let openings: Opening[];
let heard: number;
let subscriptions: number;
let gates: (() => void)[];

beforeEach(async () => {
  database = new MemoryDatabase({ nowMs: () => 0 });
  store = new WatchedStore(database);
  feed = new ScriptedFeed();
  [reports, gaps, openings, gates, fenced, heard, subscriptions] = [[], [], [], [], 0, 0, 0];
  for (let partition = 0; partition < partitionCount; partition++) {
    const place = { origin, incarnation, partition, beat: null, nextOffset: 0n };
    await store.createPosition({ ...place, applied: 10n, settled: 10n });
  }
  applier = newApplier();
  applier.start();
});
afterEach(async () => {
  for (const open of gates) open();
  await applier.close();
});

function newApplier(timer: Timer = systemTimer): Applier {
  return new Applier({
    origin,
    partitionCount,
    store,
    feed: {
      subscribe: () => {
        subscriptions++;
        return feed;
      },
    },
    clock: { nowMs: () => 0 },
    timer,
    maxDriftMs: 60_000,
    logger: { ...quiet, warn: (fields) => void warnings.push(fields) },
    events: {
      onApplied: (report) => reports.push(report),
      onFenced: () => {
        fenced++;
      },
      onGap: (_, partition) => gaps.push(partition),
      onOpen: async (opening) => void openings.push(opening),
      onHeard: () => {
        heard++;
      },
      onRefused: () => {},
    },
  });
}

/** Changes of `partition` in one commit at `to`, to records that are named after it. */
function record(partition: number, [from, to]: readonly [bigint, bigint], count = 1): ChangesRecord {
  const changes: PlacedChange[] = Array.from({ length: count }, (_, index) => {
    const context = { actor: 'eu.1.00000001', floor: 0, now: 1000 };
    const nothing = new Uint8Array(0);
    const { delta } = products.edit(nothing, context, (editor) => editor.set('title', `at ${to}`));
    return { lsn: to, index, collection: 'products', key: `p${partition}-${to}-${index}`, delta };
  });
  const beats = [{ number: Number(to), lsn: to, atMs: Number(to), count: null, end: to }];
  return { kind: 'changes', origin, incarnation, partition, from, to, beats, changes };
}

/** Changes that nobody can read. */
function poison(
  partition: number,
  reach: readonly [bigint, bigint],
  sizeBytes = 1,
  count = 1,
): ChangesRecord {
  const { changes, ...rest } = record(partition, reach, count);
  const delta = Buffer.alloc(sizeBytes, 'x');
  return { ...rest, changes: changes.map((change) => ({ ...change, delta })) };
}

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/** Opened by the test, or at its end. */
function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  gates.push(open);
  return { opened, open };
}

/** Holds the next transaction until the returned function is called. */
function hold(): () => void {
  const { opened, open } = gate();
  store.before = async () => {
    store.before = async () => {};
    await opened;
  };
  return open;
}

function ascending(a: number, b: number): number {
  return a - b;
}

async function reaches(applied: readonly bigint[]): Promise<void> {
  await vi.waitFor(async () => expect(await store.applied()).toEqual(applied), { timeout: 5_000 });
}

function unavailable(): ReplicationError {
  return new ReplicationError('database-unavailable', 'gone', { retriable: true });
}

describe('what goes together', () => {
  test('what one fetch brings for several partitions is one transaction, empty intervals included', async () => {
    feed.push(record(0, [10n, 20n]), record(1, [10n, 21n], 0), record(3, [10n, 22n], 2));
    await reaches([20n, 21n, 10n, 22n]);
    expect(store.carried).toEqual([[0, 1, 3]]);
    expect(reports).toMatchObject([{ records: 3, changes: 3, beatAtMs: 20 }]);
  });

  test('what arrives while a transaction is in flight goes into the next one', async () => {
    const release = hold();
    feed.push(record(2, [10n, 15n]));
    await vi.waitFor(() => expect(store.transactions).toHaveLength(1));
    feed.push(record(0, [10n, 20n]), record(2, [15n, 20n]));
    feed.push(record(1, [10n, 20n], 0), record(0, [20n, 30n]));
    await vi.waitFor(() => expect(heard).toBe(5));
    release();
    await reaches([30n, 20n, 20n, 10n]);
    expect(store.carried).toEqual([[2], [0, 1, 2]]);
  });

  test('a transaction stays within 500 changes over all of its partitions, and every partition gets its turn', async () => {
    feed.push(...[0, 1, 2, 3].map((partition) => record(partition, [10n, 20n], 200)));
    await reaches([20n, 20n, 20n, 20n]);
    expect(store.transactions.map(({ ids }) => ids.length)).toEqual([400, 400]);
    expect(store.carried.flat().toSorted(ascending)).toEqual([0, 1, 2, 3]);
  });
});

describe('what stops alone', () => {
  test('a gap in one partition leaves the others alone (I3)', async () => {
    feed.push(record(0, [10n, 20n]), record(1, [15n, 20n]), record(2, [10n, 20n]));
    await reaches([20n, 10n, 20n, 10n]);
    await vi.waitFor(() => expect(gaps).toEqual([1]));
    feed.push(record(0, [20n, 30n]), record(1, [20n, 30n]), record(3, [10n, 30n]));
    await reaches([30n, 10n, 20n, 30n]);
    expect(applier.readings[1]).toMatchObject({ kind: 'gap', applied: 10n, resumesAt: 15n });
    expect(store.carried.flat()).not.toContain(1);
  });

  test('a partition that stands looks again where its look after a transfer has failed', async () => {
    feed.push(record(1, [15n, 20n]));
    await vi.waitFor(() => expect(gaps).toEqual([1]));
    const { positions } = store.tables;
    const raised = (await store.positions(origin)).map((row) => ({ ...row, applied: 20n, settled: 20n }));
    database.transact(true, () => positions.put(origin, raised));
    const failing = Promise.reject(unavailable());
    failing.catch(() => undefined);
    store.tellsPositions = failing;
    const before = warnings.length;
    applier.recheck();
    await vi.waitFor(() => expect(warnings.length).toBeGreaterThan(before));
    store.tellsPositions = Promise.resolve();
    feed.push(record(1, [20n, 30n]));
    await reaches([20n, 30n, 20n, 20n]);
    expect(applier.readings[1]).toMatchObject({ kind: 'live', applied: 30n });
  });

  test('a partition whose transactions fail is tried by itself, and the others go on', async () => {
    store.before = async ({ positions }) => {
      if (positions.some(({ partition }) => partition === 1)) throw unavailable();
    };
    feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]), record(2, [10n, 20n]));
    await reaches([20n, 10n, 20n, 10n]);
    feed.push(record(0, [20n, 30n]), record(3, [10n, 30n]));
    await reaches([30n, 10n, 20n, 30n]);
    expect(store.carried[0]).toEqual([0, 1, 2]);
    expect(
      store.carried.slice(1).filter((partitions) => partitions.includes(1) && partitions.length > 1),
    ).toEqual([]);
    store.before = async () => {};
    await reaches([30n, 20n, 20n, 30n]);
    feed.push(record(0, [30n, 40n]), record(1, [20n, 40n]));
    await reaches([40n, 40n, 20n, 30n]);
    expect(store.carried.at(-1)).toEqual([0, 1]);
  });

  test('a partition that waits long for its turn does not hold up the others', async () => {
    const { opened, open } = gate();
    store.before = async ({ positions }) => {
      if (positions.every(({ partition }) => partition !== 1)) return;
      if (positions.length > 1) throw unavailable();
      await opened;
    };
    feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]));
    await reaches([20n, 10n, 10n, 10n]);
    await vi.waitFor(() => expect(store.carried).toContainEqual([1]));
    feed.push(record(0, [20n, 30n]), record(1, [20n, 30n]), record(2, [10n, 30n]));
    await reaches([30n, 10n, 30n, 10n]);
    open();
    await reaches([30n, 30n, 30n, 10n]);
    expect(store.carried.filter((partitions) => partitions.includes(1))).toEqual([[0, 1], [1], [1]]);
  });

  test('after the outcome of a transaction was unknown, its rows tell what is left', async () => {
    store.before = async (transaction) => {
      store.before = async () => {};
      await MemoryRecordStore.prototype.applyRemote.call(store, transaction);
      throw unavailable();
    };
    feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]));
    await reaches([20n, 20n, 10n, 10n]);
    feed.push(record(0, [20n, 30n]));
    await reaches([30n, 20n, 10n, 10n]);
    expect(store.carried).toEqual([[0, 1], [0]]);
    expect(fenced).toBe(0);
  });
});

describe('what is too much for the database', () => {
  const commits = Array.from({ length: 40 }, (_, at) => record(0, [BigInt(10 + at), BigInt(11 + at)]));

  test('comes again in smaller transactions, down to one commit, and they grow again (W, I12)', async () => {
    let most = 1;
    store.before = async ({ ids }) => {
      if (ids.length > most) throw new ReplicationError('overloaded', 'took too long', { retriable: true });
    };
    feed.push(...commits, record(1, [10n, 50n]));
    await vi.waitFor(async () => expect(await store.applied()).toEqual([50n, 50n, 10n, 10n]), patient);
    expect(store.transactions.length).toBeLessThan(100);
    most = 1000;
    for (let to = 60n; to < 200n; to += 10n) {
      feed.push(record(2, [to - (to === 60n ? 50n : 10n), to], 15));
      await reaches([50n, 50n, to, 10n]);
    }
    expect(store.transactions.at(-1)?.ids.length).toBe(15);
  });

  test('is told before its states are read, and a single commit may take all of them', async () => {
    warnings.splice(0);
    store.before = async ({ ids, maxStateBytes = Infinity }) => {
      const detail = 'so many states';
      if (ids.length * 1024 * 1024 > maxStateBytes)
        throw new ReplicationError('transaction-too-large', detail, { retriable: false });
    };
    feed.push(record(1, [10n, 50n], 30), ...commits);
    await reaches([50n, 50n, 10n, 10n]);
    expect(warnings).toEqual([]);
    expect(store.transactions.filter(({ maxStateBytes }) => maxStateBytes === Infinity)).not.toEqual([]);
  });
});

test('changes that are put aside are told of in the log, once they are stored', async () => {
  warnings.splice(0);
  store.isFull = true;
  feed.push(poison(1, [10n, 20n]));
  await vi.waitFor(() => expect(applier.lackingRoom).toEqual([1]), patient);
  expect(warnings.filter(({ cause }) => cause !== undefined)).toEqual([]);
  store.isFull = false;
  await vi.waitFor(async () => expect(await store.applied()).toEqual([10n, 20n, 10n, 10n]), patient);
  await vi.waitFor(() =>
    expect(warnings).toContainEqual({ origin, partition: 1, cause: 'newer-format', count: 1 }),
  );
});

describe('dead letters at their bound', () => {
  test('let the partition wait that would add to them, visibly, and no other; then it goes on (P4, I12)', async () => {
    store.isFull = true;
    feed.push(record(0, [10n, 20n]), poison(1, [10n, 20n]), record(2, [10n, 20n]));
    await reaches([20n, 10n, 20n, 10n]);
    await vi.waitFor(() => expect(applier.lackingRoom).toEqual([1]), patient);
    feed.push(record(0, [20n, 30n]), record(1, [20n, 30n]));
    await reaches([30n, 10n, 20n, 10n]);
    expect([applier.lackingRoom, applier.readings[1]]).toMatchObject([[1], { kind: 'live', applied: 10n }]);
    expect(fenced).toBe(0);
    store.isFull = false;
    await vi.waitFor(async () => expect(await store.applied()).toEqual([30n, 30n, 20n, 10n]), patient);
    expect(applier.lackingRoom).toEqual([]);
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
    store.isFull = true;
    feed.push(...small, ...large.slice(0, early));
    await vi.waitFor(() => expect(applier.lackingRoom).toEqual([1]), patient);
    const { opened, open } = gate();
    store.before = ({ positions }) =>
      positions.some(({ partition }) => partition === 1) ? opened : Promise.resolve();
    feed.push(...large.slice(early), record(0, [10n, 20n]), record(2, [10n, 20n]));
    await reaches([20n, 10n, 20n, 10n]);
    expect([feed.rewinds, applier.lackingRoom, applier.readings[1]?.kind]).toEqual([[], [1], 'live']);
    feed.isDeaf = true;
    store.isFull = false;
    open();
    await vi.waitFor(() => expect(feed.rewinds.length).toBeGreaterThan(1), patient);
    feed.isDeaf = false;
    await vi.waitFor(async () => expect(await store.applied()).toEqual([20n, end, 20n, 10n]), patient);
    expect([gaps, fenced, (await store.positions(origin))[1]?.settled]).toEqual([[], 0, 14n]);
    feed.push(record(1, [end, end + 10n]), record(3, [10n, 20n]));
    await reaches([20n, end + 10n, 20n, 20n]);
    expect(new Set(feed.rewinds.map(([, from]) => from)).size).toBe(1);
    expect(feed.rewinds[0]?.[1]).toBeGreaterThan(0n);
  });

  test('stop no other partition where one record of each that waits is more than all may hold', async () => {
    store.isFull = true;
    feed.push(...[1, 2, 3].map((partition) => poison(partition, [10n, 20n], 2 * mebibyte)));
    await vi.waitFor(() => expect(applier.lackingRoom).toEqual([1, 2, 3]), patient);
    feed.push(record(0, [10n, 20n]));
    await vi.waitFor(() => expect(heard).toBe(4), patient);
    feed.push(record(0, [20n, 30n]));
    await reaches([30n, 10n, 10n, 10n]);
  });

  test('are not looked at again and again while another partition is applied', async () => {
    store.isFull = true;
    feed.push(poison(1, [10n, 20n], mebibyte));
    await vi.waitFor(() => expect(applier.lackingRoom).toEqual([1]), patient);
    const { opened, open } = gate();
    store.before = ({ positions }) =>
      positions.some(({ partition }) => partition === 0) ? opened : Promise.resolve();
    feed.push(record(0, [10n, 20n]));
    await vi.waitFor(() => expect(store.carried).toContainEqual([0]), patient);
    const turns = vi.spyOn(systemTimer, 'turn');
    for (let passed = 0; passed < 100; passed++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns.mock.calls.length).toBeLessThan(20);
    turns.mockRestore();
    open();
    await reaches([20n, 10n, 10n, 10n]);
  });
});

describe('a backlog', () => {
  test('is applied by two transactions at once that share no partition, and by one where little waits', async () => {
    const { opened, open } = gate();
    store.before = () => opened;
    const partitions = [0, 1, 2, 3];
    feed.push(...partitions.map((partition) => record(partition, [10n, 20n], backlogChanges)));
    await vi.waitFor(() => expect(store.carried).toHaveLength(2), patient);
    feed.push(...partitions.map((partition) => record(partition, [20n, 30n])));
    await vi.waitFor(() => expect(heard).toBe(2 * partitionCount), patient);
    expect(store.carried).toHaveLength(2);
    expect(new Set(store.carried.flat()).size).toBe(2);
    open();
    await reaches([30n, 30n, 30n, 30n]);
    expect(reports.reduce((sum, { changes }) => sum + changes, 0)).toBe(
      partitionCount * (backlogChanges + 1),
    );
    expect(fenced).toBe(0);
    const before = store.carried.length;
    const release = hold();
    feed.push(record(0, [30n, 40n]), record(1, [30n, 40n]));
    await vi.waitFor(() => expect(store.carried).toHaveLength(before + 1), patient);
    feed.push(record(2, [30n, 40n]), record(3, [30n, 40n]));
    await vi.waitFor(() => expect(heard).toBe(3 * partitionCount), patient);
    expect(store.carried).toHaveLength(before + 1);
    release();
    await reaches([40n, 40n, 40n, 40n]);
  });

  test('of one partition is applied by one transaction at a time', async () => {
    const release = hold();
    const ends = [20n, 30n, 40n];
    feed.push(...ends.map((to) => record(0, [to - 10n, to], backlogChanges)));
    await vi.waitFor(() => expect(heard).toBe(ends.length), patient);
    await vi.waitFor(() => expect(store.carried).toEqual([[0]]), patient);
    // Two turns are what a second transaction would take to begin.
    for (let turn = 0; turn < 2; turn++)
      await new Promise((resolve) => systemTimer.turn(() => resolve(null)));
    expect(store.carried).toEqual([[0]]);
    release();
    await reaches([40n, 10n, 10n, 10n]);
    expect(fenced).toBe(0);
  });
});

describe('an applier that is closed', () => {
  test('while it asks for its positions ends, and reads no log', async () => {
    const { opened, open } = gate();
    store.tellsPositions = opened;
    const late = newApplier();
    const before = subscriptions;
    late.start();
    const closing = late.close();
    open();
    await closing;
    expect(subscriptions).toBe(before);
  }, 10_000);
});

describe('a stale applier', () => {
  test('is fenced where another went on, writes nothing of that transaction, and goes on from the rows (P4)', async () => {
    const release = hold();
    feed.push(record(0, [10n, 20n]), record(1, [10n, 20n]), record(2, [10n, 20n]));
    await vi.waitFor(() => expect(store.transactions).toHaveLength(1));
    const move = { incarnation, partition: 1, expected: 10n, applied: 25n, beat: null, nextOffset: 1n };
    const other = { origin, positions: [move], ids: [], decide: () => ({ writes: [], deadLetters: [] }) };
    expect(await MemoryRecordStore.prototype.applyRemote.call(store, other)).toBe('applied');
    release();
    await reaches([20n, 25n, 20n, 10n]);
    expect(fenced).toBe(1);
    expect(await store.read({ collection: 'products', key: 'p1-20-0' })).toBeNull();
    expect(await store.read({ collection: 'products', key: 'p2-20-0' })).not.toBeNull();
    feed.push(record(1, [20n, 30n]), record(3, [10n, 30n]));
    await reaches([20n, 30n, 20n, 30n]);
    expect(applier.readings[1]).toMatchObject({ kind: 'live', applied: 30n });
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
      (await store.positions(origin)).find((row) => row.incarnation.counter === later.counter);
    feed.push(start, ofLater([100n, 110n]));
    await vi.waitFor(async () => expect((await laterRow())?.applied).toBe(110n));
    const { positions } = store.tables;
    const earlier = (await store.positions(origin)).filter((row) => row.incarnation.counter === 1);
    database.transact(true, () => positions.put(origin, earlier));
    feed.push(ofLater([110n, 120n]));
    await vi.waitFor(async () => expect((await laterRow())?.applied).toBe(120n));
    const closed = { region: origin, incarnation, partition: 0, lsn: 10n };
    expect(openings).toEqual([start, start].map((each) => ({ origin, start: each, closed })));
    expect(gaps).toEqual([]);
  });
});

test('where the database is slow, transactions get as small as local writers can wait for', async () => {
  await applier.close();
  feed = new ScriptedFeed();
  let slowMs = 0;
  const msOfChange = 5;
  store.before = async ({ ids }) => {
    slowMs += ids.length * msOfChange;
  };
  applier = newApplier({ ...systemTimer, monotonicMs: () => systemTimer.monotonicMs() + slowMs });
  applier.start();
  const ends = Array.from({ length: 300 }, (_, index) => BigInt(20 + index * 10));
  feed.push(...ends.map((to) => record(0, [to - 10n, to], 10)));
  await vi.waitFor(async () => expect((await store.applied())[0]).toBe(ends.at(-1)), patient);
  const sizes = store.transactions.map(({ ids }) => ids.length);
  expect(Math.max(...sizes)).toBeGreaterThan(100);
  expect(Math.max(...sizes.slice(-20))).toBeLessThanOrEqual(100 / msOfChange);
});

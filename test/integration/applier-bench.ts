/** What tests of the applier share: a feed that they fill, a store that they can hold, and what the applier tells. */
import { register, schema } from '@isthmus/conflict';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { ReplicationError } from '@isthmus/replication/errors';
import { encodeLogRecord } from '@isthmus/replication/log/log-record';
import type { ChangesRecord, LogRecord, PlacedChange } from '@isthmus/replication/log/log-record';
import type { FeedBatch, FeedSubscription } from '@isthmus/replication/ports/change-feed';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { ApplyOutcome, ApplyTransaction, PositionRow } from '@isthmus/replication/ports/record-store';
import type { Timer } from '@isthmus/replication/ports/timer';
import { Applier } from '@isthmus/replication/applier/applier';
import type { AppliedReport } from '@isthmus/replication/applier/lane';
import type { Opening } from '@isthmus/replication/applier/partition-queue';

export const origin = parseRegionId('eu') ?? expect.fail('eu is a region');
export const incarnation = { counter: 1, nonce: 1 };
export const partitionCount = 4;
export const mebibyte = 1024 * 1024;
/** Making and reading so many changes takes a while. */
export const patient = { timeout: 10_000 };
const products = schema({ title: register() });
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Delivers what the test pushes; `rewind` delivers a partition again from where it is to. */
export class ScriptedFeed implements FeedSubscription {
  readonly connected = true;
  /** Where partitions were taken back to; `null`: their beginning. */
  readonly rewinds: (readonly [number, bigint | null])[] = [];
  /** The log is made anew once its end has been told, and delivers nothing of what it held. */
  isMadeAnew = false;
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
    if (this.isMadeAnew) {
      this.isMadeAnew = false;
      this.#log.length = 0;
      return BigInt(own.length);
    }
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

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

class ApplierBench {
  readonly database = new MemoryDatabase({ nowMs: () => 0 });
  readonly store = new WatchedStore(this.database);
  feed = new ScriptedFeed();
  applier = this.newApplier();
  fenced = 0;
  heard = 0;
  subscriptions = 0;
  readonly reports: AppliedReport[] = [];
  readonly gaps: number[] = [];
  readonly openings: Opening[] = [];
  readonly warnings: Readonly<Record<string, unknown>>[] = [];
  readonly #gates: (() => void)[] = [];

  async start(): Promise<void> {
    for (let partition = 0; partition < partitionCount; partition++) {
      const place = { origin, incarnation, partition, beat: null, nextOffset: 0n };
      await this.store.createPosition({ ...place, applied: 10n, settled: 10n });
    }
    this.applier.start();
  }

  async close(): Promise<void> {
    for (const open of this.#gates) open();
    await this.applier.close();
  }

  newApplier(timer: Timer = systemTimer): Applier {
    return new Applier({
      origin,
      partitionCount,
      store: this.store,
      open: (row) => this.store.openLife(row),
      feed: {
        subscribe: () => {
          this.subscriptions++;
          return this.feed;
        },
      },
      clock: { nowMs: () => 0 },
      timer,
      maxDriftMs: 60_000,
      logger: { ...quiet, warn: (fields) => void this.warnings.push(fields) },
      events: {
        onApplied: (report) => this.reports.push(report),
        onFenced: () => {
          this.fenced++;
        },
        onGap: (_, partition) => this.gaps.push(partition),
        onOpen: async (opening) => void this.openings.push(opening),
        onHeard: () => {
          this.heard++;
        },
        onRefused: () => {},
      },
    });
  }

  /** Opened by the test, or at its end. */
  gate(): Gate {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gates.push(open);
    return { opened, open };
  }

  /** Holds the next transaction until the returned function is called. */
  hold(): () => void {
    const { opened, open } = this.gate();
    this.store.before = async () => {
      this.store.before = async () => {};
      await opened;
    };
    return open;
  }

  async reaches(applied: readonly bigint[]): Promise<void> {
    await vi.waitFor(async () => expect(await this.store.applied()).toEqual(applied), { timeout: 5_000 });
  }
}

/** One for each test of the file, which can be used once that runs. */
export function useApplier(): { readonly bench: ApplierBench } {
  const used = { bench: new ApplierBench() };
  beforeEach(async () => {
    used.bench = new ApplierBench();
    await used.bench.start();
  });
  afterEach(() => used.bench.close());
  return used;
}

/** Changes of `partition` in one commit at `to`, to records that are named after it. */
export function record(partition: number, [from, to]: readonly [bigint, bigint], count = 1): ChangesRecord {
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
export function poison(
  partition: number,
  reach: readonly [bigint, bigint],
  sizeBytes = 1,
  count = 1,
): ChangesRecord {
  const { changes, ...rest } = record(partition, reach, count);
  const delta = Buffer.alloc(sizeBytes, 'x');
  return { ...rest, changes: changes.map((change) => ({ ...change, delta })) };
}

export function ascending(a: number, b: number): number {
  return a - b;
}

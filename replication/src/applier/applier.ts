/**
 * Brings one origin's changes into this region: reads the origin's Kafka across the link and hands its log records to
 * the appliers of their partitions. One process per region does this for an origin, by a lock that only avoids waste;
 * the positions are the fence (P4). What waits is bounded in bytes, and a slow database holds back the feed. Bytes
 * that are no log record of this origin and partition are dropped with an alarm, and the intervals then show what is
 * missing.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { decodeLogRecord } from '../log/log-record.ts';
import type { LogRecord } from '../log/log-record.ts';
import type { HeardBeat } from '../ports/beat-store.ts';
import type { ChangeFeed, FeedBatch, FeedRecord, FeedSubscription } from '../ports/change-feed.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { RecordStore } from '../ports/record-store.ts';
import type { HeldLock, RoleLock } from '../ports/role-lock.ts';
import type { QueuedRecord } from './collect.ts';
import { PartitionApplier } from './partition-applier.ts';
import type { ApplierEvents } from './partition-applier.ts';
import { newestPosition } from './positions.ts';
import type { Reading } from './reading.ts';
import { Workers } from './workers.ts';

export interface ApplierOptions {
  readonly origin: RegionId;
  readonly partitionCount: number;
  readonly store: Pick<RecordStore, 'applyRemote' | 'createPosition' | 'positions'>;
  readonly feed: ChangeFeed;
  readonly lock: RoleLock;
  readonly clock: Clock;
  readonly maxDriftMs: number;
  readonly logger: Logger;
  readonly events: ApplierEvents & {
    /** A record was dropped because its bytes, origin or partition were wrong. */
    readonly onRefused: (origin: RegionId, partition: number) => void;
  };
}

export type ApplierState = 'starting' | 'standby' | 'live' | 'closed';

const concurrentTransactions = 2;
const maxQueuedBytes = 16 * 1024 * 1024;

/** What one holding of the lock works with. */
interface Session {
  readonly subscription: FeedSubscription;
  readonly partitions: readonly PartitionApplier[];
  readonly end: AbortController;
}

export class Applier {
  readonly #options: ApplierOptions;
  readonly #stop = new AbortController();
  readonly #workers = new Workers(concurrentTransactions);
  #state: ApplierState = 'starting';
  #session: Session | null = null;
  #heard: HeardBeat | null = null;
  #running: Promise<void> | null = null;
  #onRoom: (() => void) | null = null;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  get origin(): RegionId {
    return this.#options.origin;
  }

  get state(): ApplierState {
    return this.#state;
  }

  /** Newest beat of the origin that has arrived here, applied or not; `null`: none in this process. */
  get heard(): HeardBeat | null {
    return this.#heard;
  }

  /** Where each partition stands; empty while another process is the applier. */
  get readings(): readonly Reading[] {
    return this.#session?.partitions.map((partition) => partition.reading) ?? [];
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when no transaction is in flight and the lock is given back. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#session?.end.abort();
    await this.#session?.subscription.close();
    await this.#running;
    this.#state = 'closed';
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        const held = await this.#options.lock.tryAcquire(`applier:${this.#options.origin}`);
        if (held === null) this.#state = 'standby';
        else {
          attempt = 0;
          await this.#hold(held);
        }
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        this.#options.logger.warn({ err: reason, origin: this.#options.origin }, 'the applier starts anew');
      }
      await pause(backoffMs(Math.min(attempt, 3)), this.#stop.signal);
    }
  }

  async #hold(held: HeldLock): Promise<void> {
    const end = new AbortController();
    void held.lost.then(() => this.#end(end));
    if (this.#stop.signal.aborted) end.abort();
    try {
      await this.#work(end);
    } finally {
      await held.release();
    }
  }

  #end(end: AbortController): void {
    end.abort();
    if (this.#session?.end === end) void this.#session.subscription.close();
  }

  async #work(end: AbortController): Promise<void> {
    const session = await this.#open(end);
    this.#session = session;
    this.#state = 'live';
    if (end.signal.aborted) await session.subscription.close();
    try {
      for (
        let batch = await session.subscription.next();
        batch !== null;
        batch = await session.subscription.next()
      ) {
        this.#dispatch(session, batch);
        await this.#room(session);
      }
    } finally {
      end.abort();
      await session.subscription.close();
      await Promise.all(session.partitions.map((partition) => partition.settle()));
      this.#session = null;
      this.#state = 'standby';
    }
  }

  async #open(end: AbortController): Promise<Session> {
    const { origin, partitionCount, store, feed, clock, maxDriftMs, logger, events } = this.#options;
    const rows = await store.positions(origin);
    const positions = Array.from({ length: partitionCount }, (_, partition) =>
      newestPosition(rows, partition),
    );
    const subscription = feed.subscribe(
      origin,
      positions.map((position) => position?.nextOffset ?? 0n),
    );
    const workers = this.#workers;
    const partitions = positions.map((position, partition) => {
      const rewind = () => subscription.rewind(partition);
      const shared = {
        origin,
        store,
        clock,
        maxDriftMs,
        workers,
        logger,
        events,
        signal: end.signal,
      };
      return new PartitionApplier({ ...shared, partition, position, rewind }, () => this.#onRoom?.());
    });
    return { subscription, partitions, end };
  }

  #dispatch(session: Session, batch: FeedBatch): void {
    const records: QueuedRecord[] = [];
    for (const fetched of batch.records) {
      const record = this.#parse(fetched, batch.partition);
      if (record === null) continue;
      this.#hear(record);
      records.push({
        offset: fetched.offset,
        byteCount: fetched.bytes.length,
        record,
      });
    }
    session.partitions[batch.partition]?.offer(records);
  }

  #parse(fetched: FeedRecord, partition: number): LogRecord | null {
    const { origin, logger, events } = this.#options;
    const refused = (detail: string) => {
      logger.error({ origin, partition, offset: String(fetched.offset), detail }, 'log record refused');
      events.onRefused(origin, partition);
      return null;
    };
    try {
      const record = decodeLogRecord(fetched.bytes);
      if (record.origin !== origin) return refused(`it says that it is of region ${record.origin}`);
      if (record.partition !== partition)
        return refused(`it says that it is of partition ${record.partition}`);
      return record;
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      return refused(reason.message);
    }
  }

  #hear(record: LogRecord): void {
    if (record.kind !== 'changes') return;
    const beat = record.beats.at(-1);
    if (beat === undefined) return;
    const known = this.#heard;
    const { counter } = record.incarnation;
    if (known !== null && known.incarnation.counter > counter) return;
    if (known !== null && known.incarnation.counter === counter && known.beat.number >= beat.number) return;
    const receivedAtMs = this.#options.clock.nowMs();
    this.#heard = {
      origin: record.origin,
      incarnation: record.incarnation,
      beat,
      receivedAtMs,
    };
  }

  /** Resolves when less waits than the bound, or when the session ends. */
  async #room(session: Session): Promise<void> {
    while (queuedBytes(session) > maxQueuedBytes && !session.end.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
        session.end.signal.addEventListener('abort', () => resolve(), {
          once: true,
        });
      });
      this.#onRoom = null;
    }
  }
}

function queuedBytes(session: Session): number {
  return session.partitions.reduce((sum, partition) => sum + partition.queuedBytes, 0);
}

/**
 * Brings one origin's changes into this region: reads the origin's Kafka across the link and hands its log records to
 * the queues of their partitions, which lanes apply. Two of these for one origin do no harm, because the positions are the fence (P4).
 * What waits is bounded in bytes, and a slow database holds back the feed; a partition that waits for room for dead letters
 * keeps its own share and holds back nothing (0063). Bytes that are no log record of this
 * origin and partition are dropped with an alarm, and the intervals then show what is missing.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { isRefused } from '../log/log-opening.ts';
import { decodeLogRecord } from '../log/log-record.ts';
import type { LogRecord } from '../log/log-record.ts';
import type { HeardBeat } from '../ports/beat-store.ts';
import type { ChangeFeed, FeedBatch, FeedRecord, FeedSubscription } from '../ports/change-feed.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { PositionRow, RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { QueuedRecord } from './collect.ts';
import { Lane } from './lane.ts';
import type { LaneOptions } from './lane.ts';
import { PartitionQueue } from './partition-queue.ts';
import type { PartitionEvents, PartitionQueueOptions } from './partition-queue.ts';
import { newestPosition } from './positions.ts';
import type { Reading } from './reading.ts';

export interface ApplierEvents extends PartitionEvents {
  readonly onApplied: LaneOptions['onApplied'];
  readonly onFenced: LaneOptions['onFenced'];
  /** A beat of the origin arrived, applied or not. */
  readonly onHeard: (heard: HeardBeat) => void;
  /** A record was dropped because its bytes, origin or partition were wrong. */
  readonly onRefused: (origin: RegionId, partition: number) => void;
}

export interface ApplierOptions {
  readonly origin: RegionId;
  readonly partitionCount: number;
  readonly store: Pick<RecordStore, 'applyRemote' | 'positions'>;
  readonly open: PartitionQueueOptions['open'];
  readonly feed: Pick<ChangeFeed, 'subscribe'>;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly maxDriftMs: number;
  readonly logger: Logger;
  readonly events: ApplierEvents;
}

/** Transactions in flight. */
const laneCount = 1;
/** A few transactions' worth: what waits longer only ages in memory. */
const maxQueuedBytes = 4 * 1024 * 1024;

export class Applier {
  readonly #options: ApplierOptions;
  readonly #end = new AbortController();
  #subscription: FeedSubscription | null = null;
  #partitions: readonly PartitionQueue[] = [];
  #lanes: readonly Lane[] = [];
  #running: Promise<void> | null = null;
  #onRoom: (() => void) | null = null;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  get origin(): RegionId {
    return this.#options.origin;
  }

  /** Where each partition stands; empty until the positions have been read. */
  get readings(): readonly Reading[] {
    return this.#partitions.map((partition) => partition.reading);
  }

  /** Partitions that wait until there is room for dead letters of the origin. */
  get lackingRoom(): readonly number[] {
    return this.#partitions.flatMap(({ lacksRoom }, partition) => (lacksRoom ? [partition] : []));
  }

  /** Partitions that stand look whether a transfer has raised their positions. */
  recheck(): void {
    for (const partition of this.#partitions) partition.recheck();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when no transaction is in flight. */
  async close(): Promise<void> {
    this.#end.abort();
    this.#onRoom?.();
    await this.#subscription?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const rows = await this.#positions();
    if (rows === null || this.#end.signal.aborted) return;
    const subscription = this.#open(rows);
    try {
      for (let batch = await subscription.next(); batch !== null; batch = await subscription.next()) {
        this.#dispatch(batch);
        await this.#room();
      }
    } finally {
      await Promise.all([...this.#lanes, ...this.#partitions].map((part) => part.settle()));
    }
  }

  /** Tried until the database answers; `null` where the applier was closed meanwhile. */
  async #positions(): Promise<readonly PositionRow[] | null> {
    const { store, origin, timer, logger } = this.#options;
    for (let attempt = 0; !this.#end.signal.aborted; attempt++) {
      try {
        return await store.positions(origin);
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        logger.warn({ err: reason, origin }, 'the applier waits for its positions');
        await pause(timer, backoffMs(attempt), this.#end.signal);
      }
    }
    return null;
  }

  #open(rows: readonly PositionRow[]): FeedSubscription {
    const { origin, partitionCount, feed } = this.#options;
    const positions = Array.from({ length: partitionCount }, (_, partition) =>
      newestPosition(rows, partition),
    );
    const offsets = positions.map((position) => position?.nextOffset ?? 0n);
    const subscription = feed.subscribe(
      origin,
      offsets,
      (partition) => this.#partitions[partition]?.passes ?? null,
    );
    this.#subscription = subscription;
    this.#partitions = positions.map((position, partition) =>
      this.#queue({ partition, position, subscription }),
    );
    this.#lanes = Array.from({ length: laneCount }, (_, lane) => this.#lane(lane));
    return subscription;
  }

  #queue(of: {
    readonly partition: number;
    readonly position: PositionRow | null;
    readonly subscription: FeedSubscription;
  }): PartitionQueue {
    const { partition, position, subscription } = of;
    const { origin, partitionCount, store, open, timer, logger, events } = this.#options;
    return new PartitionQueue({
      origin,
      partition,
      position,
      store,
      open,
      timer,
      logger,
      events,
      signal: this.#end.signal,
      maxWaitingBytes: maxQueuedBytes / partitionCount,
      rewind: (from) => subscription.rewind(partition, from),
      onDrained: () => this.#onRoom?.(),
      onReady: () => this.#lanes[partition % laneCount]?.wake(),
    });
  }

  #lane(lane: number): Lane {
    const { origin, store, clock, timer, maxDriftMs, logger, events } = this.#options;
    const partitions = this.#partitions.filter((_, partition) => partition % laneCount === lane);
    const { onApplied, onFenced } = events;
    const { signal } = this.#end;
    const shared = { origin, store, clock, timer, maxDriftMs, signal, logger };
    return new Lane({ ...shared, partitions, onApplied, onFenced });
  }

  #dispatch(batch: FeedBatch): void {
    const records: QueuedRecord[] = [];
    const arrivedMs = this.#options.timer.monotonicMs();
    for (const fetched of batch.records) {
      const record = this.#parse(fetched, batch.partition);
      if (record === null) continue;
      this.#hear(record);
      records.push({ offset: fetched.offset, byteCount: fetched.bytes.length, arrivedMs, record });
    }
    this.#partitions[batch.partition]?.offer(records);
  }

  #parse(fetched: FeedRecord, partition: number): LogRecord | null {
    const { origin } = this.#options;
    if (isRefused(fetched)) return null;
    try {
      const record = decodeLogRecord(fetched.bytes);
      if (record.origin === origin && record.partition === partition) return record;
      return this.#refuse(fetched, partition, `it says that it is of ${record.origin}/${record.partition}`);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      return this.#refuse(fetched, partition, reason.message);
    }
  }

  #refuse(fetched: FeedRecord, partition: number, detail: string): null {
    const { origin, logger, events } = this.#options;
    logger.error({ origin, partition, offset: String(fetched.offset), detail }, 'log record refused');
    events.onRefused(origin, partition);
    return null;
  }

  #hear(record: LogRecord): void {
    const beat = record.kind === 'changes' ? record.beats.at(-1) : undefined;
    if (beat === undefined) return;
    const { origin, incarnation } = record;
    this.#options.events.onHeard({ origin, incarnation, beat, receivedAtMs: this.#options.clock.nowMs() });
  }

  /** Resolves when less waits than the bound, or when the applier closes. */
  async #room(): Promise<void> {
    while (this.#queuedBytes() > maxQueuedBytes && !this.#end.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve;
      });
      this.#onRoom = null;
    }
  }

  /** Of partitions that will make room by themselves. */
  #queuedBytes(): number {
    const moving = this.#partitions.filter(({ lacksRoom }) => !lacksRoom);
    return moving.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
  }
}

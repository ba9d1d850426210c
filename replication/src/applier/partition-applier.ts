/**
 * Applies one partition of one origin's log, record after record. The position is moved in the transaction that
 * writes the rows, from the value it had to the value it gets (I2, P4), so a killed applier has applied a batch
 * wholly or not at all, and a stale one is fenced. A gap stops the partition where everyone can see it and leaves the
 * other partitions alone. Database trouble is waited out; nothing here gives up or skips.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError, assert } from '../errors.ts';
import type { StartRecord } from '../log/log-record.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { PositionRow, RecordStore } from '../ports/record-store.ts';
import { batchOf, decide } from './batch.ts';
import type { Batch, Decided } from './batch.ts';
import { collect } from './collect.ts';
import type { Collected, QueuedRecord } from './collect.ts';
import { newestPosition } from './positions.ts';
import { isOpen, judge, movedTo, passOver, readingOf, reread } from './reading.ts';
import type { OpenReading, Reading } from './reading.ts';
import type { Workers } from './workers.ts';

export interface AppliedReport {
  readonly origin: RegionId;
  readonly records: number;
  readonly changes: number;
  readonly durationMs: number;
  readonly conflicts: readonly {
    readonly collection: string;
    readonly fields: number;
  }[];
  readonly deadLetters: number;
  /** Time of the newest beat that became visible, by the origin's clock; `null`: none did. */
  readonly beatAtMs: number | null;
}

export interface PartitionEvents {
  readonly onApplied: (report: AppliedReport) => void;
  readonly onGap: (origin: RegionId, partition: number, cause: string) => void;
  readonly onFenced: (origin: RegionId, partition: number) => void;
}

export interface PartitionApplierOptions {
  readonly origin: RegionId;
  readonly partition: number;
  readonly position: PositionRow | null;
  readonly store: Pick<RecordStore, 'applyRemote' | 'createPosition' | 'positions'>;
  readonly clock: Clock;
  /** Remote stamps further ahead of our clock than this are put aside. */
  readonly maxDriftMs: number;
  readonly workers: Workers;
  readonly rewind: () => Promise<bigint>;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly events: PartitionEvents;
  /** Something left the queue. */
  readonly onDrained: () => void;
}

/** While live, batches stay small so that one slow commit does not make the next ones larger and slower. */
const liveBatchChanges = 300;
const backlogBatchChanges = 2000;
const backlogBytes = 256 * 1024;

export class PartitionApplier {
  readonly #options: PartitionApplierOptions;
  #reading: Reading;
  #queue: QueuedRecord[] = [];
  #queuedBytes = 0;
  #pumping: Promise<void> | null = null;

  constructor(options: PartitionApplierOptions) {
    this.#options = options;
    this.#reading = readingOf(options.position);
  }

  get reading(): Reading {
    return this.#reading;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  offer(records: readonly QueuedRecord[]): void {
    for (const record of records) {
      this.#queue.push(record);
      this.#queuedBytes += record.byteCount;
    }
    this.#pumping ??= this.#pump();
  }

  /** Resolves when no transaction of this partition is in flight; call after the signal is aborted. */
  async settle(): Promise<void> {
    await this.#pumping;
  }

  async #pump(): Promise<void> {
    let attempt = 0;
    while (this.#queue.length > 0 && !this.#options.signal.aborted) {
      try {
        // After a failure nobody knows what became of the transaction; the row does.
        if (attempt > 0) await this.#reload();
        await this.#advance();
        attempt = 0;
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        this.#options.logger.warn({ err: reason, ...this.#where() }, 'the applier waits');
        await pause(backoffMs(attempt++), this.#options.signal);
      }
    }
    this.#pumping = null;
  }

  async #advance(): Promise<void> {
    const head = this.#queue[0];
    assert(head !== undefined, 'the pump runs while something is queued');
    const step = judge(this.#reading, head.record, head.offset);
    switch (step.kind) {
      case 'drop':
        this.#reading = passOver(this.#reading, head.offset);
        return this.#consume(1);
      case 'open':
        await this.#open(step.start, head.offset);
        return this.#consume(1);
      case 'apply':
        return this.#apply();
      case 'reread':
        return this.#reread();
      case 'gap':
        return this.#stop(step.reading);
    }
  }

  async #open(start: StartRecord, offset: bigint): Promise<void> {
    const { origin, partition, store, logger } = this.#options;
    const { incarnation, at } = start;
    const position = {
      origin,
      incarnation,
      partition,
      applied: at,
      settled: at,
      beat: null,
      nextOffset: offset + 1n,
    };
    await store.createPosition(position);
    await this.#reload();
    logger.info({ ...this.#where(), at: String(at) }, 'position opened');
  }

  async #apply(): Promise<void> {
    const { workers, clock, maxDriftMs, events } = this.#options;
    const reading = this.#reading;
    assert(isOpen(reading), 'only an open partition applies');
    const maxChanges = this.#queuedBytes > backlogBytes ? backlogBatchChanges : liveBatchChanges;
    const collected = collect(reading, this.#queue, maxChanges);
    const batch = batchOf(collected.changes);
    const startedMs = performance.now();
    let decided: Decided = { writes: [], deadLetters: [], conflicts: [] };
    const outcome = await workers.run(() =>
      this.#transact(batch, reading, collected, (states) => {
        decided = decide(batch, states, clock.nowMs() + maxDriftMs);
        return decided;
      }),
    );
    if (outcome === 'fenced') return this.#fenced();
    this.#reading = collected.reading;
    this.#consume(collected.consumed);
    events.onApplied(this.#report(batch, collected, decided, performance.now() - startedMs));
  }

  #transact(
    batch: Batch,
    reading: OpenReading,
    collected: Collected,
    decideBatch: (states: readonly Uint8Array[]) => Decided,
  ): Promise<'applied' | 'fenced'> {
    const { origin, partition, store } = this.#options;
    return store.applyRemote({
      origin,
      partition,
      incarnation: reading.incarnation,
      expected: reading.applied,
      applied: collected.applied,
      beat: collected.beat,
      nextOffset: collected.nextOffset ?? this.#queue[0]?.offset ?? 0n,
      ids: batch.ids,
      decide: decideBatch,
    });
  }

  #report(batch: Batch, collected: Collected, decided: Decided, durationMs: number): AppliedReport {
    const conflicts = decided.conflicts.map(({ index, fields }) => {
      return { collection: batch.ids[index]?.collection ?? '', fields };
    });
    return {
      origin: this.#options.origin,
      records: decided.writes.length,
      changes: batch.changeCount,
      durationMs,
      conflicts,
      deadLetters: decided.deadLetters.length,
      beatAtMs: collected.beat?.atMs ?? null,
    };
  }

  /** What is queued was read before the rewind and comes again after it. */
  async #reread(): Promise<void> {
    const until = await this.#options.rewind();
    this.#consume(this.#queue.length);
    this.#reading = reread(this.#reading, until);
    this.#options.logger.warn(
      { ...this.#where(), until: String(until) },
      'an interval is missing; reading again',
    );
  }

  #stop(reading: Reading & { readonly kind: 'gap' }): void {
    const { origin, partition, logger, events } = this.#options;
    this.#reading = reading;
    this.#consume(1);
    const { cause, applied, resumesAt } = reading;
    logger.error(
      {
        ...this.#where(),
        cause,
        applied: String(applied),
        resumesAt: String(resumesAt),
      },
      'gap',
    );
    events.onGap(origin, partition, cause);
  }

  async #fenced(): Promise<void> {
    const { origin, partition, logger, events } = this.#options;
    logger.warn(this.#where(), 'fenced: the position was moved by somebody else');
    events.onFenced(origin, partition);
    await this.#reload();
  }

  /** The row is the truth; what lies below it in the queue is dropped when its turn comes. */
  async #reload(): Promise<void> {
    const { origin, partition, store } = this.#options;
    const row = newestPosition(await store.positions(origin), partition);
    if (row === null) return;
    const reading = this.#reading;
    this.#reading = isOpen(reading) ? movedTo(reading, row.applied) : readingOf(row);
  }

  #consume(count: number): void {
    for (const { byteCount } of this.#queue.splice(0, count)) this.#queuedBytes -= byteCount;
    this.#options.onDrained();
  }

  #where() {
    return { origin: this.#options.origin, partition: this.#options.partition };
  }
}

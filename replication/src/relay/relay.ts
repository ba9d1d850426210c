/**
 * Carries the region's own changes from its write-ahead log into its own Kafka. One relay per region, by holding the
 * replication slot. One publish is in flight, what arrives meanwhile makes the next and larger one; in doubt the same
 * records are sent again. The relay takes where to go on from the slot and never from the log's tail (P2), so it may
 * be killed at any instant: the worst that follows is records sent twice. It must never skip a commit and never
 * confirm one that Kafka might not hold.
 */
import { backoffMs, pause } from '../backoff.ts';
import { countInEra, countInNextEra } from '../change-count.ts';
import { ReplicationError } from '../errors.ts';
import { encodeLogRecord } from '../log/log-record.ts';
import type { LogRecord } from '../log/log-record.ts';
import type { BeatStore } from '../ports/beat-store.ts';
import type { CountedBeat } from '../ports/change.ts';
import type { ChangeSink } from '../ports/change-sink.ts';
import type { ChangeSource, ChangeStream } from '../ports/change-source.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { SlotKeeper } from '../ports/slot-keeper.ts';
import type { Timer } from '../ports/timer.ts';
import { Acknowledger } from './acknowledger.ts';
import { pack, startPacking } from './packer.ts';
import { PublishPace } from './publish-pace.ts';

/** A log that does not take what is published is asked as often before its topics are looked at: they may be gone. */
const failuresUntilPreparing = 4;
/** Timers are no finer. */
const shortestRestMs = 1;

/** `standby`: another relay holds the slot. `retrying`: it cannot go on, or its log takes nothing. `slot-lost`: the slot is gone, and what it held must come from the records. */
export type RelayState = 'starting' | 'standby' | 'live' | 'retrying' | 'slot-lost' | 'closed';

export interface RelayOptions {
  readonly identity: {
    readonly region: RegionId;
    readonly incarnation: Incarnation;
    readonly partitionCount: number;
  };
  readonly source: ChangeSource;
  readonly sink: ChangeSink;
  readonly beats: Pick<BeatStore, 'countAt' | 'overview' | 'storePublished'>;
  readonly slots: SlotKeeper;
  readonly timer: Timer;
  /** How long a process as busy as this one rests between two publishes where a rest pays, milliseconds. */
  readonly paceMs: () => number;
  readonly logger: Logger;
  /** The slot was lost and made anew: what it had not read is in no log and has to come from the records. */
  readonly onSlotLost: () => void;
  readonly onPublished: (report: { readonly changes: number; readonly bytes: number }) => void;
}

export class Relay {
  readonly #options: RelayOptions;
  readonly #stop = new AbortController();
  #stream: ChangeStream | null = null;
  #running: Promise<void> | null = null;
  #state: RelayState = 'starting';
  #published: CountedBeat | null = null;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Newest beat that the own log holds, with the own changes before it; `null`: this process has published none. */
  get published(): CountedBeat | null {
    return this.#published;
  }

  get state(): RelayState {
    return this.#state;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives the slot back; what was not confirmed is sent again by the next relay. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#stream?.close();
    await this.#running;
    this.#state = 'closed';
  }

  async #run(): Promise<void> {
    const { timer } = this.#options;
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        await this.#session(() => {
          attempt = 0;
        });
      } catch (reason) {
        this.#failed(reason);
        if (this.#state === 'slot-lost') await this.#renew(reason);
      }
      await pause(timer, backoffMs(attempt), this.#stop.signal);
    }
  }

  async #session(onLive: () => void): Promise<void> {
    const { identity, source, sink, beats, logger } = this.#options;
    await sink.prepare(identity.partitionCount);
    const stream = await source.open();
    this.#stream = stream;
    try {
      const isFirstStart = await this.#isFirstStart(stream.start);
      const count = await beats.countAt(stream.start);
      if (count === null && isFirstStart) await this.#publish(this.#startRecords(stream.start));
      logger.info({ start: String(stream.start), count }, 'relay holds the slot');
      this.#state = 'live';
      onLive();
      await this.#carry(stream, count ?? (isFirstStart ? 0 : await this.#countAfterLoss()));
    } finally {
      this.#stream = null;
      await stream.close();
    }
  }

  async #carry(stream: ChangeStream, count: number): Promise<void> {
    const { identity, beats, timer, paceMs, logger } = this.#options;
    const pace = new PublishPace(paceMs);
    const acknowledger = new Acknowledger(
      beats,
      (end) => stream.confirm(end),
      (reason) => logger.warn({ err: reason }, 'counts could not be stored; they come with a later beat'),
    );
    let packing = startPacking(identity, stream.start, count);
    try {
      while (!this.#stop.signal.aborted) {
        await this.#rest(pace.leftMs(timer.monotonicMs()));
        const packed = pack(packing, await stream.read());
        await this.#publish(packed.records);
        acknowledger.published(packed.beats);
        this.#published = packed.beats.at(-1) ?? this.#published;
        pace.ended(changesIn(packed.records), timer.monotonicMs());
        packing = packed.next;
      }
    } finally {
      await acknowledger.settle();
    }
  }

  /**
   * Sends the same records until the log holds them, and makes topics that are gone anew meanwhile. Rejects only when the
   * relay closes or the log refuses for good, as one of another partition count does.
   */
  async #publish(records: readonly LogRecord[]): Promise<void> {
    const outgoing = records.map((record) => ({
      partition: record.partition,
      bytes: encodeLogRecord(record),
    }));
    const { identity, sink, timer, logger } = this.#options;
    const state = this.#state;
    for (let attempt = 0; ; attempt++) {
      try {
        if (attempt % failuresUntilPreparing === failuresUntilPreparing - 1)
          await sink.prepare(identity.partitionCount);
        await sink.publish(outgoing);
        break;
      } catch (reason) {
        if (!(reason instanceof ReplicationError) || !reason.retriable) throw reason;
        this.#state = 'retrying';
        logger.warn({ err: reason, attempt }, 'the own log did not take a publish; sent again');
        if (!(await pause(timer, backoffMs(attempt), this.#stop.signal))) throw reason;
      }
    }
    this.#state = state;
    const bytes = outgoing.reduce((sum, record) => sum + record.bytes.length, 0);
    this.#options.onPublished({ changes: changesIn(records), bytes });
  }

  async #rest(leftMs: number): Promise<void> {
    if (leftMs >= shortestRestMs) await pause(this.#options.timer, leftMs, this.#stop.signal);
  }

  /**
   * A beat from before is never taken for one as far as a new one, and nothing is said of what was not counted. The newest
   * count may never have been stored though peers hold it, so each life of the slot has an era of its own too.
   */
  async #countAfterLoss(): Promise<number> {
    const { beats, slots } = this.#options;
    const counted = (await beats.overview()).own.newestCounted?.count ?? 0;
    const life = (await slots.life())?.number ?? 1;
    return Math.max(countInEra(life), countInNextEra(counted));
  }

  /** Only the slot that the incarnation began with may say that nothing came before. */
  async #isFirstStart(start: bigint): Promise<boolean> {
    const life = await this.#options.slots.life();
    return life === null || (life.number === 1 && life.from === start);
  }

  async #renew(lost: unknown): Promise<void> {
    const { slots, logger, onSlotLost } = this.#options;
    try {
      const { from } = await slots.renew(
        lost instanceof Error ? lost.message : String(lost),
        this.#stop.signal,
      );
      logger.error({ from: String(from) }, 'the slot was made anew; peers fetch what it had not read');
      onSlotLost();
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      logger.error({ err: reason }, 'the slot cannot be made anew yet');
    }
  }

  /** Nothing was ever confirmed, so this is where the incarnation's changes begin. */
  #startRecords(at: bigint): readonly LogRecord[] {
    const { region, incarnation, partitionCount } = this.#options.identity;
    return Array.from({ length: partitionCount }, (_, partition) => {
      return {
        kind: 'start',
        origin: region,
        incarnation,
        partition,
        partitionCount,
        at,
      };
    });
  }

  #failed(reason: unknown): void {
    if (this.#stop.signal.aborted) return;
    const code = reason instanceof ReplicationError ? reason.code : null;
    if (code === 'slot-held') {
      this.#state = 'standby';
      return;
    }
    this.#state = code === 'slot-lost' ? 'slot-lost' : 'retrying';
    this.#options.logger.error({ err: reason, state: this.#state }, 'the relay stands');
    if (code === null) throw reason;
  }
}

function changesIn(records: readonly LogRecord[]): number {
  return records.reduce((sum, record) => sum + (record.kind === 'changes' ? record.changes.length : 0), 0);
}

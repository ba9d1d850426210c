/**
 * The own log as an applier reads it when the region learns its past again (P9): the records of earlier incarnations
 * and nothing of the present one, whose start is where the past ends. Where retention has removed the start of a life
 * that the database itself reached beyond, the first record that is left stands for it: what lies before it is in the
 * database. It notes how far each life goes in each partition, so that its reader can tell when everything is learnt.
 */
import { ReplicationError } from '../errors.ts';
import { decodeLogRecord, encodeLogRecord, type LogRecord } from '../log/log-record.ts';
import type { ChangeFeed, FeedBatch, FeedRecord, FeedSubscription } from '../ports/change-feed.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { OwnPast } from '../ports/incarnation-store.ts';
import type { OwnLog } from '../ports/own-log.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { placeOf } from '../vector.ts';

export interface PastFeedOptions {
  readonly region: RegionId;
  /** The present one. */
  readonly incarnation: Incarnation;
  readonly pasts: readonly OwnPast[];
  readonly log: Pick<OwnLog, 'subscribe'>;
}

export class PastFeed implements Pick<ChangeFeed, 'subscribe'> {
  readonly #options: PastFeedOptions;
  readonly #ends = new Map<string, VectorEntry>();
  readonly #through = new Set<number>();
  /** Partitions of which something was given. */
  readonly #begun = new Set<number>();

  constructor(options: PastFeedOptions) {
    this.#options = options;
  }

  /** The last place of every life in every partition, as far as it was read. */
  get ends(): Vector {
    return [...this.#ends.values()];
  }

  /** Partitions that were read up to the present incarnation. */
  get through(): ReadonlySet<number> {
    return this.#through;
  }

  /** Always from the beginning of what is held: merging twice is harmless. */
  subscribe(_origin: RegionId, offsets: readonly bigint[]): FeedSubscription {
    const inner = this.#options.log.subscribe(offsets.map(() => 0n));
    return new PastSubscription(inner, (batch) => this.#select(batch));
  }

  /**
   * A partition that is read again is through at the log's end, which lies in the present: that one came so far is told
   * by a record of no life, which says nothing.
   */
  #select({ partition, records }: FeedBatch): readonly FeedRecord[] {
    const given = records.flatMap((fetched) => this.#selectOne(partition, fetched));
    const last = records.at(-1);
    if (last === undefined || given.at(-1)?.offset === last.offset || !this.#begun.has(partition)) return given;
    return [...given, passedOver(this.#options.region, partition, last)];
  }

  #selectOne(partition: number, fetched: FeedRecord): readonly FeedRecord[] {
    const { region, incarnation } = this.#options;
    const record = decoded(fetched.bytes);
    if (record === null || record.origin !== region || record.partition !== partition) return [fetched];
    if (sameIncarnation(record.incarnation, incarnation)) this.#through.add(partition);
    if (record.incarnation.counter >= incarnation.counter) return [];
    this.#begun.add(partition);
    const isFirst = this.#note(partition, record);
    return isFirst && this.#isCovered(record) ? [startOf(record, fetched), fetched] : [fetched];
  }

  /** True where nothing of this life was met in the partition before. */
  #note(partition: number, record: LogRecord): boolean {
    const { origin: region, incarnation } = record;
    const lsn = record.kind === 'start' ? record.at : record.to;
    const place = placeOf({ region, incarnation, partition });
    const known = this.#ends.get(place);
    if (known === undefined || known.lsn < lsn)
      this.#ends.set(place, { region, incarnation, partition, lsn });
    return known === undefined;
  }

  #isCovered(record: LogRecord): boolean {
    if (record.kind === 'start') return false;
    const past = this.#options.pasts.find((each) => sameIncarnation(each.incarnation, record.incarnation));
    return past !== undefined && record.from <= past.through;
  }
}

class PastSubscription implements FeedSubscription {
  readonly #inner: FeedSubscription;
  readonly #select: (batch: FeedBatch) => readonly FeedRecord[];

  constructor(inner: FeedSubscription, select: (batch: FeedBatch) => readonly FeedRecord[]) {
    this.#inner = inner;
    this.#select = select;
  }

  get connected(): boolean {
    return this.#inner.connected;
  }

  async next(): Promise<FeedBatch | null> {
    for (let batch = await this.#inner.next(); batch !== null; batch = await this.#inner.next()) {
      const records = this.#select(batch);
      if (records.length > 0) return { partition: batch.partition, records };
    }
    return null;
  }

  rewind(partition: number): Promise<bigint> {
    return this.#inner.rewind(partition);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function startOf(record: LogRecord, { offset }: FeedRecord): FeedRecord {
  const { origin, incarnation, partition } = record;
  const at = record.kind === 'start' ? record.at : record.from;
  const bytes = encodeLogRecord({ kind: 'start', origin, incarnation, partition, partitionCount: 0, at });
  return { offset, bytes };
}

/** Older than every life, so whoever stands in one drops it. */
function passedOver(origin: RegionId, partition: number, { offset }: FeedRecord): FeedRecord {
  const nothing = { from: 0n, to: 1n, beats: [], changes: [] };
  const incarnation = { counter: 0, nonce: 0 };
  return { offset, bytes: encodeLogRecord({ kind: 'changes', origin, incarnation, partition, ...nothing }) };
}

/** `null`: bytes that are no record are for the applier to refuse. */
function decoded(bytes: Uint8Array): LogRecord | null {
  try {
    return decodeLogRecord(bytes);
  } catch (reason) {
    if (reason instanceof ReplicationError) return null;
    throw reason;
  }
}

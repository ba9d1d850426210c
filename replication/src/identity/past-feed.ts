/**
 * The own log as an applier reads it when the region learns its past again (P9): the records of earlier incarnations
 * and nothing of the present one, whose start is where the past ends. What the database surely holds is never given
 * again, so a life begins where that ends, also where retention has removed its start: a change whose delete was
 * collected meanwhile would find no trace of it and bring its record back (I6). It notes how far each life goes in each
 * partition, so that its reader can tell when everything is learnt.
 */
import { encodeLogRecord, type LogRecord, logRecordOrNull } from '../log/log-record.ts';
import type { Lsn } from '../ports/change.ts';
import type { ChangeFeed, FeedBatch, FeedRecord, FeedSubscription } from '../ports/change-feed.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { OwnPast } from '../ports/incarnation-store.ts';
import type { OwnLog } from '../ports/own-log.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { placeOf } from '../vector.ts';

/** How far a record goes. */
interface Reach {
  readonly counter: number;
  readonly lsn: Lsn;
  readonly bytes: Uint8Array;
}

/** From which it follows how far the database surely holds its earlier lives. */
export interface HeldFrom {
  readonly pasts: readonly OwnPast[];
  /** What the collection of tombstones has made final here (P8). */
  readonly horizon: Vector;
}

export interface PastFeedOptions extends HeldFrom {
  readonly region: RegionId;
  /** The present one. */
  readonly incarnation: Incarnation;
  readonly log: Pick<OwnLog, 'subscribe'>;
}

export class PastFeed implements Pick<ChangeFeed, 'subscribe'> {
  readonly #options: PastFeedOptions;
  readonly #ends = new Map<string, VectorEntry>();
  readonly #through = new Set<number>();
  /** Of the past, by partition. */
  readonly #furthest = new Map<number, Reach>();

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
   * Who reads a partition again decides at the log's end, which lies in the present, whether something is missing: there
   * the furthest record of the past is given once more, which fits or does not.
   */
  #select({ partition, records }: FeedBatch): readonly FeedRecord[] {
    const given = records.flatMap((fetched) => this.#selectOne(partition, fetched));
    const last = records.at(-1);
    const bytes = this.#furthest.get(partition)?.bytes;
    if (last === undefined || bytes === undefined || given.at(-1)?.offset === last.offset) return given;
    return [...given, { offset: last.offset, bytes }];
  }

  #selectOne(partition: number, fetched: FeedRecord): readonly FeedRecord[] {
    const { region, incarnation } = this.#options;
    const record = logRecordOrNull(fetched.bytes);
    if (record === null || record.origin !== region || record.partition !== partition) return [fetched];
    if (sameIncarnation(record.incarnation, incarnation)) this.#through.add(partition);
    if (record.incarnation.counter >= incarnation.counter) return [];
    const isFirst = this.#note(partition, record);
    const reach = { counter: record.incarnation.counter, lsn: endOf(record), bytes: fetched.bytes };
    if (isFurther(reach, this.#furthest.get(partition))) this.#furthest.set(partition, reach);
    const { origin: of, incarnation: life } = record;
    const held = surelyHeld(this.#options, { region: of, incarnation: life, partition });
    if (!isFirst || held === 0n || beginOf(record) > held) return [fetched];
    return [startAt(held, record, fetched), fetched];
  }

  /** True where nothing of this life was met in the partition before. */
  #note(partition: number, record: LogRecord): boolean {
    const { origin: region, incarnation } = record;
    const lsn = endOf(record);
    const place = placeOf({ region, incarnation, partition });
    const known = this.#ends.get(place);
    if (known === undefined || known.lsn < lsn)
      this.#ends.set(place, { region, incarnation, partition, lsn });
    return known === undefined;
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

  rewind(partition: number, from?: bigint): Promise<bigint> {
    return this.#inner.rewind(partition, from);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** How far the database surely holds a partition of a life. */
export function surelyHeld({ pasts, horizon }: HeldFrom, of: Omit<VectorEntry, 'lsn'>): Lsn {
  const through = pasts.find((each) => sameIncarnation(each.incarnation, of.incarnation))?.through ?? 0n;
  const place = placeOf(of);
  const final = horizon.find((entry) => placeOf(entry) === place)?.lsn ?? 0n;
  return final > through ? final : through;
}

function startAt(at: Lsn, { origin, incarnation, partition }: LogRecord, { offset }: FeedRecord): FeedRecord {
  const start = { kind: 'start', origin, incarnation, partition, partitionCount: 0, at } as const;
  return { offset, bytes: encodeLogRecord(start) };
}

function beginOf(record: LogRecord): Lsn {
  return record.kind === 'start' ? record.at : record.from;
}

function endOf(record: LogRecord): Lsn {
  return record.kind === 'start' ? record.at : record.to;
}

function isFurther({ counter, lsn }: Reach, than: Reach | undefined): boolean {
  if (than === undefined) return true;
  return counter > than.counter || (counter === than.counter && lsn > than.lsn);
}

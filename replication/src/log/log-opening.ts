/**
 * Opens what was read of a log, and tells what is refused. A refused record keeps its offset and loses its bytes: no
 * reader takes nothing for a record, and who waits for an offset still gets there.
 */
import type { FeedBatch, FeedRecord, FeedSubscription } from '../ports/change-feed.ts';
import type { RegionId } from '../ports/identity.ts';
import type { LogOpener, LogPlace, LogTopic, RefusedRecord } from '../ports/log-seal.ts';

export interface LogOpening {
  readonly opener: LogOpener;
  /** Must not throw. */
  readonly onRefused: (refused: RefusedRecord) => void;
}

/** In place of bytes that were refused. */
const nothing = new Uint8Array();

/** Whether this is what is left of a record that was refused, and told of, when it was read. */
export function isRefused({ bytes }: FeedRecord): boolean {
  return bytes.length === 0;
}

export interface PlacedBytes {
  readonly bytes: Uint8Array;
  /** `null`: they were not read by it. */
  readonly offset: bigint | null;
}

/** `null`: refused. */
export function openBytes(
  { opener, onRefused }: LogOpening,
  place: LogPlace,
  { bytes, offset }: PlacedBytes,
): Uint8Array | null {
  const opened = opener.open(place, bytes);
  if (opened.kind === 'genuine') return opened.body;
  onRefused({ ...place, offset, fault: opened.fault });
  return null;
}

export interface ReadTopic {
  readonly region: RegionId;
  readonly topic: LogTopic;
}

export class OpenedSubscription implements FeedSubscription {
  readonly #inner: FeedSubscription;
  readonly #of: ReadTopic;
  readonly #opening: LogOpening;

  constructor(inner: FeedSubscription, of: ReadTopic, opening: LogOpening) {
    this.#inner = inner;
    this.#of = of;
    this.#opening = opening;
  }

  get connected(): boolean {
    return this.#inner.connected;
  }

  async next(): Promise<FeedBatch | null> {
    const batch = await this.#inner.next();
    if (batch === null) return null;
    const { partition, records } = batch;
    const { region, topic } = this.#of;
    const place = { region, topic, partition };
    return { partition, records: records.map((record) => this.#open(place, record)) };
  }

  rewind(partition: number): Promise<bigint> {
    return this.#inner.rewind(partition);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #open(place: LogPlace, record: FeedRecord): FeedRecord {
    return { offset: record.offset, bytes: openBytes(this.#opening, place, record) ?? nothing };
  }
}

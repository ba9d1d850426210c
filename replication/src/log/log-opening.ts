/**
 * Opens what was read of a log, and tells what is refused. A refused record keeps its offset and loses its bytes: no
 * reader takes nothing for a record, and who waits for an offset still gets there.
 */
import type { FeedBatch, FeedRecord, FeedSubscription, PassedBy } from '../ports/change-feed.ts';
import type { RegionId } from '../ports/identity.ts';
import { reachOf } from './log-record.ts';
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
  // Nothing under a true seal would be taken for what was refused before, and nobody would be told of it.
  if (opened.kind === 'genuine' && opened.body.length > 0) return opened.body;
  const fault = opened.kind === 'genuine' ? 'malformed' : opened.fault;
  onRefused({ ...place, offset, fault });
  return null;
}

export interface ReadTopic {
  readonly region: RegionId;
  readonly topic: LogTopic;
}

/** From so many records on it pays to leave the event loop alone. */
const many = 8;
/** What is found out of as many is remembered until they are opened, however they are; others have their turn in between. */
const openedAtOnce = 256;

export class OpenedSubscription implements FeedSubscription {
  readonly #inner: FeedSubscription;
  readonly #of: ReadTopic;
  readonly #opening: LogOpening;
  readonly #passedBy: PassedBy | null;
  /** How often each partition was rewound. */
  readonly #rewinds = new Map<number, number>();

  constructor(
    inner: FeedSubscription,
    of: ReadTopic & { readonly passedBy?: PassedBy | undefined },
    opening: LogOpening,
  ) {
    this.#inner = inner;
    this.#of = of;
    this.#opening = opening;
    this.#passedBy = of.passedBy ?? null;
  }

  get connected(): boolean {
    return this.#inner.connected;
  }

  async next(): Promise<FeedBatch | null> {
    for (let batch = await this.#inner.next(); batch !== null; batch = await this.#inner.next()) {
      const { partition } = batch;
      const records = this.#ahead(batch);
      if (records.length === 0) continue;
      const rewinds = this.#rewinds.get(partition);
      const opened = await this.#opened(partition, records);
      // What was read before a rewind comes again after it, and in between nobody waits for it.
      if (this.#rewinds.get(partition) === rewinds) return opened;
    }
    return null;
  }

  async rewind(partition: number, from?: bigint): Promise<bigint> {
    const until = await this.#inner.rewind(partition, from);
    this.#rewinds.set(partition, (this.#rewinds.get(partition) ?? 0) + 1);
    return until;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** Whoever reads a partition again has passed nearly all of it, and that is not worth a look at its seals. */
  #ahead({ partition, records }: FeedBatch): readonly FeedRecord[] {
    const isPassed = this.#passedBy?.(partition) ?? null;
    if (isPassed === null) return records;
    return records.filter(({ bytes }) => {
      const body = this.#opening.opener.bodyOf(bytes);
      const reach = body === null ? null : reachOf(body);
      return reach === null || !isPassed(reach);
    });
  }

  async #opened(partition: number, records: readonly FeedRecord[]): Promise<FeedBatch> {
    const { region, topic } = this.#of;
    const place = { region, topic, partition };
    const { opener } = this.#opening;
    const opened: FeedRecord[] = [];
    for (let at = 0; at < records.length; at += openedAtOnce) {
      const some = records.slice(at, at + openedAtOnce);
      if (some.length >= many)
        await opener.prepare(
          place,
          some.map(({ bytes }) => bytes),
        );
      for (const record of some)
        opened.push({ offset: record.offset, bytes: openBytes(this.#opening, place, record) ?? nothing });
    }
    return { partition, records: opened };
  }
}

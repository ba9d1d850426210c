/**
 * Compares the database with the own log (P1): from the newest beat that the database holds on, every own beat found
 * must be in it, every own change must merge without effect, and its positions must cover what the region last told
 * its peers. It writes nothing. A log that does not reach back to that beat proves nothing and counts against the
 * database; one that does not answer is an error, and the question stays open. So is what a newer version has written
 * there: it may say what the database lacks, and passing it over would prove too much (0062).
 */
import { ConflictError, merge } from '@isthmus/conflict';
import { ReplicationError } from '../errors.ts';
import { decodeLogRecord } from '../log/log-record.ts';
import type { LogRecord, PlacedChange } from '../log/log-record.ts';
import { decodeProgress } from '../log/progress-record.ts';
import type { OriginProgress } from '../log/progress-record.ts';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { LogSpan, OwnLog } from '../ports/own-log.ts';
import type { RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { OwnPast } from './own-record.ts';
import { judgeBeats, judgeOwnRecord } from './own-record.ts';

export interface OwnLogProofOptions {
  readonly self: {
    readonly region: RegionId;
    readonly incarnation: Incarnation;
    readonly partitionCount: number;
  };
  readonly store: Pick<IdentityStore, 'newestBeat' | 'beats'>;
  readonly records: Pick<RecordStore, 'read' | 'positions'>;
  readonly log: OwnLog;
  readonly timer: Timer;
}

export type Verdict =
  | { readonly kind: 'continues'; readonly readRecords: number }
  /** What only the own log says it may lose, while peers say again what they know. */
  | { readonly kind: 'broken'; readonly reason: string; readonly isOnlyLogged?: true }
  /** Nothing speaks against the database, and who could does not answer: its next dot may be known to them already. */
  | { readonly kind: 'untold'; readonly reason: string };

/**
 * Clocks of database and log may differ by this much. What is read too early is known and passed over; what is read too late,
 * because a clock was set, begins beyond the newest beat, and all is read (0066).
 */
const marginMs = 30_000;
/** Silence of the log after which the comparison is given up and begun anew. */
const silenceMs = 10_000;

interface ComparedPast extends OwnPast {
  /** Something of the life has to be in the log; else what is there counts, and nothing has to be. */
  readonly hasPublished: boolean;
}

/** What is wrong; `null`: nothing so far. */
type Fault = string | null;
/** A partition begins beyond the newest beat. */
const tooShort = Symbol('too short');

export class OwnLogProof {
  readonly #options: OwnLogProofOptions;
  #readRecords = 0;

  constructor(options: OwnLogProofOptions) {
    this.#options = options;
  }

  /** Rejects with `log-unavailable`, `database-unavailable` or, which no waiting mends, `newer-format`. */
  async run(): Promise<Verdict> {
    const { self, store, log } = this.#options;
    const { beat: newestBeat, hasPublished } = await store.newestBeat();
    const past: ComparedPast = { incarnation: self.incarnation, newestBeat, hasPublished };
    const sinceMs = newestBeat === null ? null : newestBeat.atMs - marginMs;
    const spans = await log.spans(self.partitionCount, sinceMs);
    const recent = await this.#compare(past, spans);
    const reason = recent !== tooShort ? recent : await this.#compareAll(past);
    const fault = reason ?? (await this.#checkProgress());
    return fault === null
      ? { kind: 'continues', readRecords: this.#readRecords }
      : { kind: 'broken', reason: fault };
  }

  async #compareAll(past: ComparedPast): Promise<Fault> {
    const { self, log } = this.#options;
    const fault = await this.#compare(past, await log.spans(self.partitionCount, null));
    if (fault !== tooShort) return fault;
    return `the own log does not reach back to beat ${past.newestBeat?.number ?? 0}, the newest in the database`;
  }

  async #compare(past: ComparedPast, spans: readonly LogSpan[]): Promise<Fault | typeof tooShort> {
    const subscription = this.#options.log.subscribe(spans.map(({ first }) => first));
    const open = new Map(
      spans.flatMap((span, partition) => (span.first < span.end ? [[partition, span]] : [])),
    );
    const reached = new Set<number>();
    try {
      while (open.size > 0) {
        const batch = await this.#next(subscription);
        const fault = await this.#compareBatch(past, batch, reached);
        if (fault !== null) return fault;
        const last = batch.records.at(-1);
        const span = open.get(batch.partition);
        if (last !== undefined && span !== undefined && last.offset + 1n >= span.end)
          open.delete(batch.partition);
      }
    } finally {
      await subscription.close();
    }
    const isWhole = reached.size === spans.length || past.newestBeat === null || !past.hasPublished;
    return isWhole ? null : tooShort;
  }

  async #compareBatch(
    past: OwnPast,
    { partition, records }: FeedBatch,
    reached: Set<number>,
  ): Promise<Fault | typeof tooShort> {
    for (const { bytes } of records) {
      const record = ownRecordOrNull(bytes);
      if (record === null || record.origin !== this.#options.self.region) continue;
      this.#readRecords++;
      const judged = judgeOwnRecord(past, record);
      if (judged.kind === 'foreign') return judged.reason;
      if (!reached.has(partition) && sameIncarnation(record.incarnation, past.incarnation)) {
        const from = record.kind === 'start' ? record.at : record.from;
        if (past.newestBeat !== null && from > past.newestBeat.lsn) return tooShort;
        reached.add(partition);
      }
      if (judged.kind === 'known') continue;
      const fault = (await this.#checkBeats(judged.beats)) ?? (await this.#checkChanges(judged.changes));
      if (fault !== null) return fault;
    }
    return null;
  }

  async #checkBeats(told: Parameters<typeof judgeBeats>[0]): Promise<Fault> {
    const [first, last] = [told[0], told.at(-1)];
    if (first === undefined || last === undefined) return null;
    return judgeBeats(told, await this.#options.store.beats(first.number, last.number));
  }

  async #checkChanges(changes: readonly PlacedChange[]): Promise<Fault> {
    for (const { collection, key, delta, lsn } of changes) {
      const state = await this.#options.records.read({ collection, key });
      if (state === null || !shows(state, delta)) {
        return `the database lacks a change of its own to collection ${collection}, at position ${lsn}`;
      }
    }
    return null;
  }

  /** What was told to peers was durable here, so positions below it are those of another time. */
  async #checkProgress(): Promise<Fault> {
    const { self, log } = this.#options;
    const bytes = await log.newestProgress();
    if (bytes === null) return null;
    const told = understood(() => decodeProgress(bytes));
    if (told.region !== self.region || !sameIncarnation(told.incarnation, self.incarnation)) return null;
    for (const origin of told.origins) {
      if (!(await this.#covers(origin))) {
        return `the database stands behind what the region told ${origin.origin} that it had settled`;
      }
    }
    return null;
  }

  async #covers({ origin, incarnation, settled }: OriginProgress): Promise<boolean> {
    const rows = await this.#options.records.positions(origin);
    return (settled ?? []).every((lsn, partition) =>
      rows.some(
        (row) =>
          row.partition === partition &&
          (row.incarnation.counter > incarnation.counter ||
            (sameIncarnation(row.incarnation, incarnation) && row.settled >= lsn)),
      ),
    );
  }

  async #next(subscription: FeedSubscription): Promise<FeedBatch> {
    const { timer } = this.#options;
    let cancel = (): void => undefined;
    const silence = new Promise<null>((resolve) => {
      cancel = timer.after(silenceMs, () => resolve(null));
    });
    const batch = await Promise.race([subscription.next(), silence]);
    cancel();
    if (batch !== null) return batch;
    throw new ReplicationError('log-unavailable', `the own log was silent for ${silenceMs} ms`, {
      retriable: true,
    });
  }
}

/** What cannot be read says nothing, unless a newer version can read it. */
function ownRecordOrNull(bytes: Uint8Array): LogRecord | null {
  try {
    return understood(() => decodeLogRecord(bytes));
  } catch (reason) {
    if (reason instanceof ReplicationError && reason.code === 'malformed-record') return null;
    throw reason;
  }
}

/** A record that nobody can read does not show the change, and its next dot cannot be known from it. */
function shows(state: Uint8Array, delta: Uint8Array): boolean {
  try {
    return !merge(state, delta).changed;
  } catch (reason) {
    if (!(reason instanceof ConflictError)) throw reason;
    if (reason.code === 'newer-format') throw tooNew(reason);
    return false;
  }
}

function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (reason) {
    if (reason instanceof ReplicationError && reason.code === 'newer-format') throw tooNew(reason);
    throw reason;
  }
}

function tooNew(cause: Error): ReplicationError {
  const detail = `a newer version wrote into the own log what this one cannot compare (${cause.message}); start that version again, or take the database for the region's with "isthmus identity accept"`;
  return new ReplicationError('newer-format', detail, { retriable: false, cause });
}

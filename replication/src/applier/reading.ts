/**
 * What a log record means for one partition, given where its position stands (P2, "Reading"). Pure: a record is old,
 * or it fits and its changes beyond the position are to be applied, or it begins beyond the position. The latter is
 * read once more from the partition's beginning before it is called a gap (I3), because offsets are only hints. A gap
 * stops the partition visibly and ends by itself should a record that fits arrive after all; nothing is ever skipped.
 * The start of a newer incarnation ends the older one wherever its reading stood, and whatever comes of that one
 * afterwards is ignored (P9); what may be missing of it is the business of a transfer.
 */
import { assert } from '../errors.ts';
import type { ChangesRecord, LogRecord, StartRecord } from '../log/log-record.ts';
import type { RecordReach } from '../ports/change-feed.ts';
import type { Lsn } from '../ports/change.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { Incarnation } from '../ports/identity.ts';

const lookAgainMs = 5000;

export type GapCause =
  /** A record begins beyond the position, also after reading the partition again. */
  | 'missing-interval'
  /** There is no position, and the log does not begin with the incarnation's start. */
  | 'no-position'
  /** The origin goes on under another incarnation, whose start is not in the log, also after reading it again. */
  | 'other-incarnation';

export type Reading =
  /** No position yet; the incarnation's start record opens one. */
  | { readonly kind: 'unopened' }
  | {
      readonly kind: 'live';
      readonly incarnation: Incarnation;
      readonly applied: Lsn;
    }
  /** Reading once more from the beginning; `until` is the log's end (exclusive) when that began. */
  | {
      readonly kind: 'rereading';
      readonly incarnation: Incarnation;
      readonly applied: Lsn;
      readonly until: bigint;
    }
  | {
      readonly kind: 'gap';
      readonly cause: GapCause;
      readonly incarnation: Incarnation | null;
      readonly applied: Lsn | null;
      /** Where the first record that is there begins; `null` where that says nothing. */
      readonly resumesAt: Lsn | null;
    };

type LiveReading = Extract<Reading, { kind: 'live' }>;

/** A partition whose position is known. */
export type OpenReading = Exclude<Reading, { kind: 'unopened' }> & {
  readonly incarnation: Incarnation;
  readonly applied: Lsn;
};

export function isOpen(reading: Reading): reading is OpenReading {
  return reading.kind !== 'unopened' && reading.incarnation !== null && reading.applied !== null;
}

export type Step =
  | { readonly kind: 'drop' }
  /** Opens a position; that of an older incarnation, where there is one, is closed. */
  | { readonly kind: 'open'; readonly start: StartRecord }
  /** Apply the changes of `record` that lie beyond the position; `to` becomes the position. */
  | { readonly kind: 'apply'; readonly record: ChangesRecord }
  | { readonly kind: 'reread' }
  | {
      readonly kind: 'gap';
      readonly reading: Reading & { readonly kind: 'gap' };
    };

export function readingOf(
  position: { readonly incarnation: Incarnation; readonly applied: Lsn } | null,
): Reading {
  if (position === null) return { kind: 'unopened' };
  return {
    kind: 'live',
    incarnation: position.incarnation,
    applied: position.applied,
  };
}

/** Decides for one record at `offset`. The caller carries the step out and then moves the reading on. */
export function judge(reading: Reading, record: LogRecord, offset: bigint): Step {
  if (reading.kind === 'unopened') return judgeUnopened(record);
  if (!isOpen(reading)) return judgeUnplaced(reading, record);
  if (!sameIncarnation(record.incarnation, reading.incarnation)) return judgeForeign(reading, record, offset);
  if (record.kind === 'start') return { kind: 'drop' };
  if (record.to <= reading.applied) return { kind: 'drop' };
  if (record.from <= reading.applied) return { kind: 'apply', record };
  return judgeBeyond(reading, record.from, offset);
}

/** The same reading with its position somewhere else. */
export function movedTo(reading: OpenReading, applied: Lsn): OpenReading {
  return { ...reading, applied };
}

/** The reading after an `apply` of everything up to `applied`, from the log record at `offset`. */
export function advance(reading: OpenReading, applied: Lsn, offset: bigint): OpenReading {
  const { incarnation } = reading;
  if (reading.kind === 'rereading' && offset + 1n < reading.until) return { ...reading, applied };
  return { kind: 'live', incarnation, applied };
}

/** The reading after a record that was dropped at `offset`: reading again ends where it was to end. */
export function passOver<T extends Reading>(reading: T, offset: bigint): T | LiveReading {
  if (reading.kind !== 'rereading' || offset + 1n < reading.until) return reading;
  return { kind: 'live', incarnation: reading.incarnation, applied: reading.applied };
}

export function reread(reading: Reading, until: bigint): Reading {
  assert(reading.kind === 'live', 'only a live partition is read again');
  return { ...reading, kind: 'rereading', until };
}

/** Whether it is to be asked again where the log ends, which may have been made anew or have lost its end meanwhile. */
export function looksAgain({ kind }: Reading, endAgeMs: number): boolean {
  return kind === 'rereading' && endAgeMs >= lookAgainMs;
}

/** A log that ends before where it did is another one: what is missing now is looked for in that, from its beginning. */
export function lookedAgain(reading: Reading, end: bigint): Reading {
  if (reading.kind !== 'rereading' || end >= reading.until) return reading;
  return { kind: 'live', incarnation: reading.incarnation, applied: reading.applied };
}

/** What a partition would drop that is read once more. */
export function isPassed({ incarnation, applied }: OpenReading, reach: RecordReach): boolean {
  return (
    reach.incarnation.counter < incarnation.counter ||
    (sameIncarnation(reach.incarnation, incarnation) && reach.to <= applied)
  );
}

function judgeUnopened(record: LogRecord): Step {
  if (record.kind === 'start') return { kind: 'open', start: record };
  const { incarnation, from } = record;
  return {
    kind: 'gap',
    reading: {
      kind: 'gap',
      cause: 'no-position',
      incarnation,
      applied: null,
      resumesAt: from,
    },
  };
}

/** Without a position only a start of what comes later can open one: what lies before is missing as it is. */
function judgeUnplaced(
  { incarnation }: { readonly incarnation: Incarnation | null },
  record: LogRecord,
): Step {
  const isNewer = incarnation === null || record.incarnation.counter > incarnation.counter;
  return record.kind === 'start' && isNewer ? { kind: 'open', start: record } : { kind: 'drop' };
}

/** Whatever a later life holds lies beyond the position, and its start may have been passed over like any interval (P2). */
function judgeForeign(reading: OpenReading, record: LogRecord, offset: bigint): Step {
  const { incarnation: known, applied } = reading;
  if (record.incarnation.counter < known.counter) return { kind: 'drop' };
  const isNewer = record.incarnation.counter > known.counter;
  if (record.kind === 'start' && isNewer) return { kind: 'open', start: record };
  if (reading.kind === 'gap') return { kind: 'drop' };
  if (reading.kind === 'live' && isNewer) return { kind: 'reread' };
  if (reading.kind === 'rereading' && isNewer && offset + 1n < reading.until) return { kind: 'drop' };
  const resumesAt = record.kind === 'start' ? record.at : record.from;
  return {
    kind: 'gap',
    reading: {
      kind: 'gap',
      cause: 'other-incarnation',
      incarnation: known,
      applied,
      resumesAt,
    },
  };
}

function judgeBeyond(reading: Exclude<Reading, { kind: 'unopened' }>, from: Lsn, offset: bigint): Step {
  if (reading.kind === 'live') return { kind: 'reread' };
  if (reading.kind === 'gap') return { kind: 'drop' };
  if (offset + 1n < reading.until) return { kind: 'drop' };
  const { incarnation, applied } = reading;
  return {
    kind: 'gap',
    reading: {
      kind: 'gap',
      cause: 'missing-interval',
      incarnation,
      applied,
      resumesAt: from,
    },
  };
}

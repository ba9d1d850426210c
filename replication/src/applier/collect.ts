/**
 * Takes from the front of a partition's queue what one apply transaction is to carry. Whole log records where they
 * fit, else a part of one that ends at a commit. Pure: it moves the reading along as if the transaction had committed,
 * and the caller keeps that reading only if it does.
 */
import type { LogRecord, PlacedChange } from '../log/log-record.ts';
import type { CountedBeat, Lsn } from '../ports/change.ts';
import { cutAtCommit } from './batch.ts';
import { advance, judge, movedTo, passOver } from './reading.ts';
import type { OpenReading, Step } from './reading.ts';

export interface QueuedRecord {
  readonly offset: bigint;
  readonly byteCount: number;
  readonly record: LogRecord;
}

export interface Collected {
  readonly changes: readonly PlacedChange[];
  readonly applied: Lsn;
  readonly beat: CountedBeat | null;
  /** Queue entries that are done with once the transaction has committed. */
  readonly consumed: number;
  /** Offset after the last entry done with; `null`: none. */
  readonly nextOffset: bigint | null;
  /** Where the partition stands once the transaction has committed. */
  readonly reading: OpenReading;
}

/** The first of `queue` is to be applied. */
export function collect(reading: OpenReading, queue: readonly QueuedRecord[], maxChanges: number): Collected {
  let collected: Collected = {
    changes: [],
    applied: reading.applied,
    beat: null,
    consumed: 0,
    nextOffset: null,
    reading,
  };
  for (const entry of queue) {
    const step = judge(collected.reading, entry.record, entry.offset);
    const next = take(collected, entry, step, maxChanges);
    if (next === null) break;
    const whole = next.consumed > collected.consumed;
    collected = next;
    if (!whole) break;
  }
  return collected;
}

/** `null` where the entry has to wait for the next transaction. */
function take(before: Collected, entry: QueuedRecord, step: Step, maxChanges: number): Collected | null {
  const consumed = {
    consumed: before.consumed + 1,
    nextOffset: entry.offset + 1n,
  };
  if (step.kind === 'drop')
    return {
      ...before,
      ...consumed,
      reading: passOver(before.reading, entry.offset),
    };
  if (step.kind !== 'apply') return null;
  const { record } = step;
  const fresh = record.changes.filter((change) => change.lsn > before.applied);
  const room = maxChanges - before.changes.length;
  if (fresh.length > room && before.changes.length > 0) return null;
  const cut = cutAtCommit(fresh, room);
  const changes = [...before.changes, ...fresh.slice(0, cut)];
  const last = fresh[cut - 1];
  if (cut < fresh.length && last !== undefined) {
    return {
      ...before,
      changes,
      applied: last.lsn,
      reading: movedTo(before.reading, last.lsn),
    };
  }
  const beat = record.beats.at(-1) ?? before.beat;
  const reading = advance(before.reading, record.to, entry.offset);
  return { changes, applied: record.to, beat, ...consumed, reading };
}

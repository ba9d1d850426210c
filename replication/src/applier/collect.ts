/**
 * Takes from the front of a partition's queue what one apply transaction is to carry: whole log records that fit into
 * the room that is left, or, into an empty transaction, a part of one that ends at a commit. Pure: it moves the reading along as if the transaction had committed,
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
  /** By the monotonic clock. */
  readonly arrivedMs: number;
  readonly record: LogRecord;
}

/** What a transaction still has room for. */
export interface Room {
  readonly changes: number;
  readonly bytes: number;
  /** Nothing is in it yet: one commit must go in, however large. */
  readonly isEmpty: boolean;
}

export interface Collected {
  readonly changes: readonly PlacedChange[];
  readonly byteCount: number;
  readonly applied: Lsn;
  /** All that are covered, in their order. */
  readonly beats: readonly CountedBeat[];
  /** Queue entries that are done with once the transaction has committed. */
  readonly consumed: number;
  /** Offset of the first entry that is not done with then. */
  readonly nextOffset: bigint;
  /** Where the partition stands once the transaction has committed. */
  readonly reading: OpenReading;
}

/** The first of `queue` is to be applied; `null` where it does not fit into the room. */
export function collect(reading: OpenReading, queue: readonly QueuedRecord[], room: Room): Collected | null {
  const { applied } = reading;
  const nextOffset = queue[0]?.offset ?? 0n;
  let collected: Collected = {
    changes: [],
    byteCount: 0,
    applied,
    beats: [],
    consumed: 0,
    nextOffset,
    reading,
  };
  for (const entry of queue) {
    const step = judge(collected.reading, entry.record, entry.offset);
    const next = take(collected, entry, { step, room });
    if (next === null) break;
    const whole = next.consumed > collected.consumed;
    collected = next;
    if (!whole) break;
  }
  return collected.applied === applied ? null : collected;
}

/** `null` where the entry has to wait for the next transaction. */
function take(
  before: Collected,
  entry: QueuedRecord,
  { step, room }: { readonly step: Step; readonly room: Room },
): Collected | null {
  const consumed = { consumed: before.consumed + 1, nextOffset: entry.offset + 1n };
  if (step.kind === 'drop')
    return { ...before, ...consumed, reading: passOver(before.reading, entry.offset) };
  if (step.kind !== 'apply') return null;
  const { record } = step;
  const byteCount = before.byteCount + entry.byteCount;
  const fresh = record.changes.filter((change) => change.lsn > before.applied);
  const changesLeft = room.changes - before.changes.length;
  const mustGo = room.isEmpty && before.changes.length === 0;
  if (!mustGo && (fresh.length > changesLeft || byteCount > room.bytes)) return null;
  const cut = cutAtCommit(fresh, changesLeft);
  const changes = [...before.changes, ...fresh.slice(0, cut)];
  const last = fresh[cut - 1];
  if (cut < fresh.length && last !== undefined) {
    return { ...before, changes, byteCount, applied: last.lsn, reading: movedTo(before.reading, last.lsn) };
  }
  const beats = [...before.beats, ...record.beats];
  const reading = advance(before.reading, record.to, entry.offset);
  return { changes, byteCount, applied: record.to, beats, ...consumed, reading };
}

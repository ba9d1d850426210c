/**
 * Takes from the front of a partition's queue what one apply transaction is to carry: whole log records that fit into
 * the room that is left, or, into an empty transaction, a part of one that ends at a commit. Pure: it moves the reading
 * along as if the transaction had committed, and the caller keeps that reading only if it does.
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

/** Where a transaction stands that carries what was taken so far. */
type Place = Omit<Collected, 'changes' | 'beats'>;

/** What one entry adds. */
interface Taken {
  readonly changes: readonly PlacedChange[];
  readonly beats: readonly CountedBeat[];
  readonly place: Place;
}

/**
 * The first of `queue` is to be applied; `null` where it does not fit into the room. What is carried is gathered in one
 * pass: a lane that is behind brings thousands of small records, and a copy for each of them would be quadratic.
 */
export function collect(reading: OpenReading, queue: readonly QueuedRecord[], room: Room): Collected | null {
  const { applied } = reading;
  const changes: PlacedChange[] = [];
  const beats: CountedBeat[] = [];
  let place: Place = { byteCount: 0, applied, consumed: 0, nextOffset: queue[0]?.offset ?? 0n, reading };
  for (const entry of queue) {
    const step = judge(place.reading, entry.record, entry.offset);
    const left = room.changes - changes.length;
    const mustGo = room.isEmpty && changes.length === 0;
    const taken = take(place, entry, { step, room: { changes: left, bytes: room.bytes, isEmpty: mustGo } });
    if (taken === null) break;
    for (const change of taken.changes) changes.push(change);
    for (const beat of taken.beats) beats.push(beat);
    const isWhole = taken.place.consumed > place.consumed;
    place = taken.place;
    if (!isWhole) break;
  }
  if (place.applied === applied) return null;
  const { byteCount, consumed, nextOffset } = place;
  return { changes, beats, byteCount, applied: place.applied, consumed, nextOffset, reading: place.reading };
}

/** `null` where the entry has to wait for the next transaction. The room for changes is what those before it have left. */
function take(
  before: Place,
  entry: QueuedRecord,
  { step, room }: { readonly step: Step; readonly room: Room },
): Taken | null {
  const consumed = before.consumed + 1;
  const nextOffset = entry.offset + 1n;
  if (step.kind === 'drop') {
    const { byteCount: passed, applied } = before;
    const reading = passOver(before.reading, entry.offset);
    return { changes: [], beats: [], place: { byteCount: passed, applied, consumed, nextOffset, reading } };
  }
  if (step.kind !== 'apply') return null;
  const { record } = step;
  const byteCount = before.byteCount + entry.byteCount;
  const fresh = record.changes.filter((change) => change.lsn > before.applied);
  if (!room.isEmpty && (fresh.length > room.changes || byteCount > room.bytes)) return null;
  const cut = cutAtCommit(fresh, room.changes);
  const last = fresh[cut - 1];
  if (cut < fresh.length && last !== undefined) {
    const place = { ...before, byteCount, applied: last.lsn, reading: movedTo(before.reading, last.lsn) };
    // A relay that was behind packs many beats into one record, and those that are passed are settled with the cut.
    const beats = record.beats.filter(({ end }) => end <= last.lsn);
    return { changes: fresh.slice(0, cut), beats, place };
  }
  const reading = advance(before.reading, record.to, entry.offset);
  return {
    changes: fresh,
    beats: record.beats,
    place: { byteCount, applied: record.to, consumed, nextOffset, reading },
  };
}

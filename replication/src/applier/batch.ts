/**
 * Makes an apply transaction out of queued changes, and decides it. Changes are cut only at commit ends, so that the
 * position after the batch is one that the origin's database really had (P3). Several changes to one record are folded
 * into one delta first, because deltas merge with each other as they merge with states. A change that cannot be
 * merged, or whose stamps lie too far ahead of our clock, becomes a dead letter and spoils nothing beside it (P4).
 * Pure; it never clamps a stamp and never drops a change.
 */
import { highestStamp, merge } from '@isthmus/conflict';
import { assert } from '../errors.ts';
import type { PlacedChange } from '../log/log-record.ts';
import type { Lsn, RecordId } from '../ports/change.ts';
import type {
  ApplyDecision,
  DeadLetter,
  DeadLetterCause,
} from '../ports/record-store.ts';

/** The changes of one batch, grouped by record in order of first appearance. */
export interface Batch {
  readonly ids: readonly RecordId[];
  readonly changes: readonly (readonly PlacedChange[])[];
  readonly changeCount: number;
}

/**
 * How many of `changes` (in order of commit) make a batch of at most `maxChanges`: all of them, or a prefix that ends
 * where a commit ends. At least one commit, however large.
 */
export function cutAtCommit(
  changes: readonly PlacedChange[],
  maxChanges: number,
): number {
  if (changes.length <= maxChanges) return changes.length;
  let cut = maxChanges;
  while (cut > 0 && sameCommit(changes, cut)) cut--;
  if (cut > 0) return cut;
  cut = maxChanges;
  while (cut < changes.length && sameCommit(changes, cut)) cut++;
  return cut;
}

function sameCommit(changes: readonly PlacedChange[], index: number): boolean {
  return changes[index - 1]?.lsn === changes[index]?.lsn;
}

export function batchOf(changes: readonly PlacedChange[]): Batch {
  const byCollection = new Map<string, Map<string, PlacedChange[]>>();
  const ids: RecordId[] = [];
  const grouped: PlacedChange[][] = [];
  for (const change of changes) {
    const group = groupFor(byCollection, change);
    if (group.length === 0) {
      ids.push({ collection: change.collection, key: change.key });
      grouped.push(group);
    }
    group.push(change);
  }
  return { ids, changes: grouped, changeCount: changes.length };
}

function groupFor(
  byCollection: Map<string, Map<string, PlacedChange[]>>,
  change: PlacedChange,
): PlacedChange[] {
  const byKey =
    byCollection.get(change.collection) ?? new Map<string, PlacedChange[]>();
  byCollection.set(change.collection, byKey);
  const group = byKey.get(change.key) ?? [];
  byKey.set(change.key, group);
  return group;
}

export interface Decided extends ApplyDecision {
  /** Index into the batch's ids and number of fields that the merge found in conflict. */
  readonly conflicts: readonly {
    readonly index: number;
    readonly fields: number;
  }[];
}

/** `latestStampMs`: changes with a stamp beyond it are put aside. */
export function decide(
  batch: Batch,
  states: readonly Uint8Array[],
  latestStampMs: number,
): Decided {
  const writes: { index: number; state: Uint8Array }[] = [];
  const deadLetters: DeadLetter[] = [];
  const conflicts: { index: number; fields: number }[] = [];
  for (const [index, changes] of batch.changes.entries()) {
    const before = states[index];
    assert(before !== undefined, 'the store answers every id');
    const merged = mergeAll(before, changes, latestStampMs);
    deadLetters.push(...merged.deadLetters);
    if (merged.state !== before) writes.push({ index, state: merged.state });
    if (merged.conflicts > 0)
      conflicts.push({ index, fields: merged.conflicts });
  }
  return { writes, deadLetters, conflicts };
}

interface Merged {
  readonly state: Uint8Array;
  readonly deadLetters: readonly DeadLetter[];
  readonly conflicts: number;
}

function mergeAll(
  before: Uint8Array,
  changes: readonly PlacedChange[],
  latestStampMs: number,
): Merged {
  let delta: Uint8Array | null = null;
  const deadLetters: DeadLetter[] = [];
  for (const change of changes) {
    const attempt = tryJoin(delta, change, latestStampMs);
    if (attempt.kind === 'joined') delta = attempt.delta;
    else deadLetters.push(deadLetterOf(change, attempt));
  }
  if (delta === null) return { state: before, deadLetters, conflicts: 0 };
  const { state, conflicts } = merge(before, delta);
  return { state, deadLetters, conflicts: conflicts.length };
}

type Attempt =
  | { readonly kind: 'joined'; readonly delta: Uint8Array }
  | {
      readonly kind: 'refused';
      readonly cause: DeadLetterCause;
      readonly detail: string;
    };

function tryJoin(
  delta: Uint8Array | null,
  change: PlacedChange,
  latestStampMs: number,
): Attempt {
  try {
    const stampMs = highestStamp(change.delta);
    if (stampMs !== null && stampMs > latestStampMs) {
      const detail = `stamp ${stampMs} is ${Math.round(stampMs - latestStampMs)} ms beyond the drift bound`;
      return { kind: 'refused', cause: 'clock-too-far-ahead', detail };
    }
    return {
      kind: 'joined',
      delta: delta === null ? change.delta : merge(delta, change.delta).state,
    };
  } catch (reason) {
    return {
      kind: 'refused',
      cause: 'malformed',
      detail: reason instanceof Error ? reason.message : String(reason),
    };
  }
}

function deadLetterOf(
  change: PlacedChange,
  refused: { cause: DeadLetterCause; detail: string },
): DeadLetter {
  const { collection, key, delta, lsn, index } = change;
  return {
    collection,
    key,
    delta,
    lsn,
    index,
    cause: refused.cause,
    detail: refused.detail,
  };
}

/** The position after a batch that ends with `last`, where `to` is the end of the record that it was cut from. */
export function positionAfter(
  whole: boolean,
  last: PlacedChange | undefined,
  to: Lsn,
): Lsn {
  if (whole || last === undefined) return to;
  return last.lsn;
}

/**
 * Makes an apply transaction out of what partitions bring, and decides it. Changes are cut only at commit ends, so that the position
 * after the batch is one that the origin's database really had (P3). Changes to one record are merged into it one
 * after the other and written once. A change that the conflict library refuses, or whose stamps lie too far ahead of
 * our clock, becomes a dead letter and spoils nothing beside it (P4).
 * Pure; it never clamps a stamp and never drops a change.
 */
import { type CheckedMerge, checkedMerge } from '../checked-merge.ts';
import { assert } from '../errors.ts';
import type { PlacedChange } from '../log/log-record.ts';
import type { RecordId } from '../ports/change.ts';
import type { ApplyDecision, DeadLetter, RecordConflict } from '../ports/record-store.ts';
import { nameFault } from '../record-name.ts';
import { maxAppliedRecords, maxLoneDeltaBytes } from '../transaction-limits.ts';

/** What one partition brings, in order of commit. */
export interface Share {
  readonly partition: number;
  readonly changes: readonly PlacedChange[];
}

interface SharedChange {
  readonly partition: number;
  readonly change: PlacedChange;
}

/** The changes of one batch, grouped by record in order of first appearance. */
export interface Batch {
  readonly ids: readonly RecordId[];
  readonly changes: readonly (readonly SharedChange[])[];
  /** Changes that no transaction can hold. */
  readonly refused: readonly DeadLetter[];
  readonly changeCount: number;
}

/**
 * How many of `changes` (in order of commit) make a batch of at most `maxChanges`: all of them, or a prefix that ends
 * where a commit ends. At least one commit, however large.
 */
export function cutAtCommit(changes: readonly Pick<PlacedChange, 'lsn'>[], maxChanges: number): number {
  if (changes.length <= maxChanges) return changes.length;
  let cut = maxChanges;
  while (cut > 0 && sameCommit(changes, cut)) cut--;
  if (cut > 0) return cut;
  cut = maxChanges;
  while (cut < changes.length && sameCommit(changes, cut)) cut++;
  return cut;
}

function sameCommit(changes: readonly Pick<PlacedChange, 'lsn'>[], index: number): boolean {
  return changes[index - 1]?.lsn === changes[index]?.lsn;
}

export function batchOf(shares: readonly Share[]): Batch {
  const byCollection = new Map<string, Map<string, SharedChange[]>>();
  const ids: RecordId[] = [];
  const grouped: SharedChange[][] = [];
  const refused: DeadLetter[] = [];
  for (const { partition, changes } of shares) {
    for (const change of changes) {
      const group = groupFor(byCollection, change);
      const fault = sizeFault(change) ?? (group.length > 0 ? null : faultOf(change, ids.length));
      if (fault !== null) {
        refused.push(
          deadLetterOf({ partition, change }, { cause: 'too-large', detail: fault, stampMs: null }),
        );
        continue;
      }
      if (group.length === 0) {
        ids.push({ collection: change.collection, key: change.key });
        grouped.push(group);
      }
      group.push({ partition, change });
    }
  }
  const changeCount = shares.reduce((sum, { changes }) => sum + changes.length, 0);
  return { ids, changes: grouped, refused, changeCount };
}

/** What is wrong with the size of a change; `null`: nothing. No honest origin sends one of so many bytes. */
function sizeFault({ delta }: PlacedChange): string | null {
  if (delta.length <= maxLoneDeltaBytes) return null;
  return `a change of ${delta.length} bytes, over ${maxLoneDeltaBytes}`;
}

/** Why a record can not be one of a transaction that has so many; `null`: it can. No honest origin sends one that can not. */
function faultOf(id: RecordId, recordCount: number): string | null {
  if (recordCount < maxAppliedRecords) return nameFault(id);
  return `its commit writes more than ${maxAppliedRecords} records`;
}

function groupFor(
  byCollection: Map<string, Map<string, SharedChange[]>>,
  { collection, key }: RecordId,
): SharedChange[] {
  const byKey = byCollection.get(collection) ?? new Map<string, SharedChange[]>();
  byCollection.set(collection, byKey);
  const group = byKey.get(key) ?? [];
  byKey.set(key, group);
  return group;
}

export interface Decided extends ApplyDecision {
  readonly conflicts: readonly RecordConflict[];
}

/** `latestStampMs`: changes with a stamp beyond it are put aside. */
export function decide(batch: Batch, states: readonly Uint8Array[], latestStampMs: number): Decided {
  const writes: { index: number; state: Uint8Array }[] = [];
  const deadLetters: DeadLetter[] = [...batch.refused];
  const conflicts: { index: number; fields: number }[] = [];
  for (const [index, changes] of batch.changes.entries()) {
    const before = states[index];
    assert(before !== undefined, 'the store answers every id');
    const merged = mergeAll(before, changes, latestStampMs);
    for (const letter of merged.deadLetters) deadLetters.push(letter);
    if (merged.state !== before) writes.push({ index, state: merged.state });
    if (merged.conflicts > 0) conflicts.push({ index, fields: merged.conflicts });
  }
  return { writes, deadLetters, conflicts };
}

interface Merged {
  readonly state: Uint8Array;
  readonly deadLetters: readonly DeadLetter[];
  readonly conflicts: number;
}

function mergeAll(before: Uint8Array, changes: readonly SharedChange[], latestStampMs: number): Merged {
  let state = before;
  let conflicts = 0;
  const deadLetters: DeadLetter[] = [];
  for (const shared of changes) {
    const attempt = checkedMerge(state, shared.change.delta, latestStampMs);
    if (attempt.kind === 'refused') {
      deadLetters.push(deadLetterOf(shared, attempt));
      continue;
    }
    state = attempt.state;
    conflicts += attempt.conflicts;
  }
  return { state, deadLetters, conflicts };
}

type Refused = Omit<Extract<CheckedMerge, { readonly kind: 'refused' }>, 'kind'>;

function deadLetterOf({ partition, change }: SharedChange, refused: Refused): DeadLetter {
  const { collection, key, delta, lsn, index } = change;
  const { cause, detail, stampMs } = refused;
  return { partition, collection, key, delta, lsn, index, cause, detail, stampMs };
}

/**
 * Decides the two kinds of write transactions of a transfer (P6). States of the donor pass the same checks as changes
 * from the log. Nothing is merged and nothing is raised where the vector has not reached the own horizon: the donor may
 * still hold what was deleted and collected here. A damaged own record gives way to the donor's where that shows all that
 * it held. A dead letter is covered only where the stored record has seen all
 * that it would bring, whatever the positions say, or where an operator has given it up and the donor's record came in its
 * place. Pure.
 */
import { ConflictError, merge } from '@isthmus/conflict';
import { checkedMerge } from '../checked-merge.ts';
import { assert } from '../errors.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { MergeDecision, PassedLetter, RefusedState } from '../ports/transfer-store.ts';
import type { Vector } from '../ports/vector.ts';
import { lacking } from '../vector.ts';
import type { Shown } from './damaged-records.ts';

export interface Locked {
  readonly states: readonly Uint8Array[];
  readonly horizon: Vector;
}

export interface Bounds {
  /** Of the snapshot that the records are from. */
  readonly vector: Vector;
  /** States with a stamp beyond it are put aside. */
  readonly latestStampMs: number;
  /** Of damaged own records, where the donor's may take their place. */
  readonly givesWay: (stored: StoredRecord, shown: Omit<Shown, 'whole'>) => boolean;
}

const nothing = new Uint8Array(0);

/** `null`: the snapshot lies below the horizon. */
export function decideMerge(
  records: readonly StoredRecord[],
  { states, horizon }: Locked,
  { vector, latestStampMs, givesWay }: Bounds,
): MergeDecision | null {
  if (lacking(vector, horizon) !== null) return null;
  const writes: { index: number; state: Uint8Array }[] = [];
  const refused: RefusedState[] = [];
  for (const [index, record] of records.entries()) {
    const before = states[index];
    assert(before !== undefined, 'the store answers every id');
    const isLost = givesWay({ ...record, state: before }, { vector, state: record.state });
    const kept = isLost ? nothing : before;
    const merged = checkedMerge(kept, record.state, latestStampMs);
    if (merged.kind === 'refused') {
      const { cause, detail, stampMs } = merged;
      refused.push({ ...record, cause, detail, stampMs });
    } else if (merged.state !== before) writes.push({ index, state: merged.state });
  }
  return { writes, refused };
}

/** Which letters are to be closed. `null`: the vector lies below the horizon. */
export function decideRaise(
  { letters, horizon }: { readonly letters: readonly PassedLetter[]; readonly horizon: Vector },
  vector: Vector,
): readonly boolean[] | null {
  return lacking(vector, horizon) === null ? letters.map(mayClose) : null;
}

/** The donor has shown its record as of a place behind the letter, and it was taken (P4). */
function mayClose(letter: PassedLetter): boolean {
  return isCovered(letter) || (letter.isGivenUp && !letter.isRefused);
}

function isCovered({ state, delta }: PassedLetter): boolean {
  try {
    return state.length > 0 && !merge(state, delta).changed;
  } catch (reason) {
    if (reason instanceof ConflictError) return false;
    throw reason;
  }
}

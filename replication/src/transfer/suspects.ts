/**
 * The convergence proof of P7. A sweep keeps both sides' states of the records that differ; once each side has settled
 * all that the other one could have shown, both are read again. A side has diverged where the other's earlier state
 * still changes what it shows: it had every chance to know. So have both where they stay different and a merge would change
 * neither, which two databases come to that wrote under one name. Contexts may differ for good reason, so only live data
 * counts, and a record that was collected meanwhile waits for the next sweep. Of a record that one side's bytes do not
 * show nothing is proven, and it stands in nobody's way. Pure.
 */
import { ConflictError, liveHash, merge } from '@isthmus/conflict';
import { causeOf } from '../checked-merge.ts';
import type { RecordId } from '../ports/change.ts';
import type { DeadLetterCause } from '../ports/record-store.ts';

/** What both sides held of one record; empty where nothing was stored. */
export interface Suspect extends RecordId {
  readonly own: Uint8Array;
  readonly theirs: Uint8Array;
}

export interface Later {
  readonly own: Uint8Array;
  readonly theirs: Uint8Array;
}

/** A side of which this version cannot tell what it shows, and why. */
export interface Unreadable {
  readonly side: 'own' | 'theirs';
  readonly cause: DeadLetterCause;
}

/** `equal` where both show the same, whatever else they know. */
export function difference({ own, theirs }: Later): 'equal' | 'differs' | Unreadable {
  const [ours, other] = [shownBy(own), shownBy(theirs)];
  if (typeof ours === 'string') return { side: 'own', cause: ours };
  if (typeof other === 'string') return { side: 'theirs', cause: other };
  return isSame(ours, other) ? 'equal' : 'differs';
}

/** Of states that can be read. */
export function hasDiverged(earlier: Suspect, later: Later): boolean {
  if (wasCollected(earlier.own, later.own) || wasCollected(earlier.theirs, later.theirs)) return false;
  if (changesLive(later.own, earlier.theirs) || changesLive(later.theirs, earlier.own)) return true;
  return isUnchanged(earlier, later) && !isSameLive(later.own, later.theirs);
}

/** Nothing came to either side since. Where they still show different data, no merge will ever make them equal. */
function isUnchanged(earlier: Later, later: Later): boolean {
  return isSame(earlier.own, later.own) && isSame(earlier.theirs, later.theirs);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function wasCollected(before: Uint8Array, after: Uint8Array): boolean {
  return before.length > 0 && after.length === 0;
}

/** A state that cannot be merged is kept apart as a dead letter and shown there. */
function changesLive(state: Uint8Array, delta: Uint8Array): boolean {
  try {
    const merged = merge(state, delta);
    return merged.changed && !isSameLive(state, merged.state);
  } catch (reason) {
    if (reason instanceof ConflictError) return false;
    throw reason;
  }
}

function isSameLive(own: Uint8Array, theirs: Uint8Array): boolean {
  return difference({ own, theirs }) === 'equal';
}

function shownBy(state: Uint8Array): Uint8Array | DeadLetterCause {
  if (state.length === 0) return noLife;
  try {
    return liveHash(state);
  } catch (reason) {
    if (reason instanceof ConflictError) return causeOf(reason);
    throw reason;
  }
}

const noLife = new Uint8Array(16);

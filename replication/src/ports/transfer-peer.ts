/**
 * The donor's side of a transfer as the receiver reaches it across the link: pull only. Every call is bounded in time
 * and bytes. An answer is what the peer said, or a rejection with `peer-unavailable` (retriable): no answer, or one that
 * was damaged on the way. A snapshot that is given back is hardly waited for, because it ends by itself.
 */
import type { BeatOf } from './beat-store.ts';
import type { RecordId } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { NextRange, RecordRange } from './record-reader.ts';
import type { StoredRecord } from './record-store.ts';
import type { SlotLife } from './slot-keeper.ts';
import type { Vector, WholePast } from './vector.ts';

/** What a snapshot of the donor holds. */
export interface Offer {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  /** Names the snapshot in later requests. */
  readonly snapshot: string;
  /** Everything up to there is in the snapshot (V of P6). */
  readonly vector: Vector;
  /** Beats that the vector has passed, one of each life. */
  readonly beats: readonly BeatOf[];
  /** Nothing beyond this is in it. */
  readonly ahead: Vector;
  readonly whole: readonly WholePast[];
  readonly horizon: Vector;
  /** Highest stamp that collection there has dropped; 0: none. */
  readonly floorMs: number;
  readonly slot: SlotLife | null;
  /** An operator wants the donor filled anew, so what only it holds may be gone soon. */
  readonly mayBeEmptied: boolean;
  /** Age of the beat that stands for the donor's own changes; much over a second: a long transaction is open there. */
  readonly beatAgeMs: number;
}

/** Why a donor does not serve. */
export type Refusal =
  /** Too many snapshots are open. */
  | 'busy'
  /** Its relay has not published what the snapshot shows. */
  | 'unpublished'
  /** No beat is old enough to speak for its own changes. */
  | 'no-beat'
  /** Its own entry has not reached its slot's beginning: the same gap would come again. */
  | 'below-slot'
  /** The snapshot was closed, or its time is up. */
  | 'snapshot-gone'
  | 'malformed-request'
  /** Its database is filled anew: it has not got yet what its region had. */
  | 'filled-anew';

export type TransferRequest =
  | { readonly kind: 'open' }
  | { readonly kind: 'ranges'; readonly snapshot: string; readonly after: RecordId }
  | {
      readonly kind: 'fetch';
      readonly snapshot: string;
      readonly range: RecordRange;
      /** The receiver's hashes of the range. */
      readonly have: readonly Uint8Array[];
    }
  | { readonly kind: 'states'; readonly snapshot: string; readonly ids: readonly RecordId[] }
  | { readonly kind: 'close'; readonly snapshot: string };

export type TransferAnswer =
  | { readonly kind: 'offer'; readonly offer: Offer }
  /** None: no record follows. */
  | { readonly kind: 'ranges'; readonly ranges: readonly NextRange[] }
  | { readonly kind: 'records'; readonly fetched: FetchedRecords }
  /** Aligned with the ids, perhaps a prefix of them, because it is bounded in bytes; empty where nothing is stored. */
  | { readonly kind: 'states'; readonly states: readonly Uint8Array[] }
  | { readonly kind: 'closed' }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly detail: string };

export interface FetchedRecords {
  /** Those of the range whose hashes were not among the receiver's. */
  readonly records: readonly StoredRecord[];
  /** How far the answer goes, because it is bounded in bytes. */
  readonly through: RecordId;
  /** Places in `have` of what the donor does not hold in the range; complete only where the answer goes to its end. */
  readonly lacking: readonly number[];
}

export interface TransferPeer {
  /** Rejects at once when the signal is aborted: nobody waits for the answer any more. */
  ask(peer: RegionId, request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer>;
}

/**
 * The receiver's side of a transfer, decided (P6): what to ask, compare, merge and raise, and when it is over. It
 * guarantees that positions are raised only after every range of the donor has been found equal or was merged, and
 * only to the least of all the snapshots that this took; and that what lies below the own horizon is not merged. A
 * snapshot that is lost is followed by another, from where the last one came to, and from the beginning where the donor
 * is another incarnation by then. Pure; it never waits and never gives up on a donor that makes progress.
 *
 *     opening --offer--> ranging --ranges--> comparing --differs--> fetching --records--> merging
 *        ^                 |  ^                |  ^                                         |
 *        |                 |  +---- all equal -+  +----------------- merged ----------------+
 *        +-- any failure   +--none left--> raising --raised--> ended
 */
import type { BeatOf } from '../ports/beat-store.ts';
import type { RecordId } from '../ports/change.ts';
import { sameIncarnation } from '../ports/identity.ts';
import { type NextRange, type RecordRange, beginning } from '../ports/record-reader.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { TransferPlace } from '../ports/transfer-jobs.ts';
import type { FetchedRecords, Offer, Refusal } from '../ports/transfer-peer.ts';
import type { Vector } from '../ports/vector.ts';
import { leastOf } from '../vector.ts';

/** Failures in a row, without a step forward between them, after which the job lets others go first. */
const maxFailures = 6;
const firstWaitMs = 200;
const longestWaitMs = 5000;

export interface Plan {
  readonly isDryRun: boolean;
}

interface Running {
  readonly place: TransferPlace;
  readonly failures: number;
}

interface Served extends Running {
  readonly offer: Offer;
}

interface Comparing extends Served {
  /** The first one is being worked on; never empty. */
  readonly pending: readonly [NextRange, ...NextRange[]];
}

export type TransferOutcome =
  | { readonly kind: 'done' }
  /** Trying again later may help. */
  | { readonly kind: 'postponed'; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string };

export type ReceiverState =
  | ({ readonly kind: 'opening' } & Running)
  | ({ readonly kind: 'ranging' } & Served)
  /** `isPartial`: a part of the first range is done already, so its digest says nothing any more. */
  | ({ readonly kind: 'comparing'; readonly isPartial: boolean } & Comparing)
  | ({ readonly kind: 'fetching' } & Comparing)
  | ({ readonly kind: 'merging'; readonly through: RecordId } & Comparing)
  | ({ readonly kind: 'raising' } & Served)
  | { readonly kind: 'ended'; readonly place: TransferPlace; readonly outcome: TransferOutcome };

export type ReceiverInput =
  /**
   * `isBelow`: this region has not reached what the donor's collection made final. `isDonorBelow`: the donor has not reached
   * what collection made final here.
   */
  | {
      readonly kind: 'offered';
      readonly offer: Offer;
      readonly isBelow: boolean;
      readonly isDonorBelow: boolean;
    }
  | { readonly kind: 'ranges'; readonly ranges: readonly NextRange[] }
  | { readonly kind: 'equal' }
  | { readonly kind: 'differs'; readonly range: RecordRange; readonly have: readonly Uint8Array[] }
  | { readonly kind: 'records'; readonly fetched: FetchedRecords; readonly bytes: number }
  | { readonly kind: 'merged'; readonly merged: number; readonly refused: number }
  | { readonly kind: 'raised' }
  /** The own horizon has passed the snapshot. */
  | { readonly kind: 'below-horizon' }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly detail: string }
  | { readonly kind: 'failed'; readonly detail: string };

export type ReceiverEffect =
  /** `begun`: what the part that is merged already was as of; `null`: nothing is. */
  | { readonly kind: 'open'; readonly afterMs: number; readonly begun: Vector | null }
  | { readonly kind: 'ranges'; readonly offer: Offer; readonly after: RecordId }
  /** `expected`: `null` where the digest need not be looked at. */
  | { readonly kind: 'compare'; readonly range: RecordRange; readonly expected: NextRange | null }
  | {
      readonly kind: 'fetch';
      readonly offer: Offer;
      readonly range: RecordRange;
      readonly have: readonly Uint8Array[];
    }
  | { readonly kind: 'merge'; readonly offer: Offer; readonly records: readonly StoredRecord[] }
  | {
      readonly kind: 'raise';
      readonly offer: Offer;
      readonly vector: Vector;
      readonly beats: readonly BeatOf[];
    }
  | { readonly kind: 'end' };

export type ReceiverStep = readonly [state: ReceiverState, effect: ReceiverEffect];

export function startReceiver(place: TransferPlace): ReceiverStep {
  return [
    { kind: 'opening', place, failures: 0 },
    { kind: 'open', afterMs: 0, begun: place.vector },
  ];
}

/** An input that does not belong to the state is a failure of whoever gave it and is treated as one. */
export function stepReceiver(state: ReceiverState, input: ReceiverInput, plan: Plan): ReceiverStep {
  if (state.kind === 'ended') return [state, { kind: 'end' }];
  switch (input.kind) {
    case 'failed':
      return reopen(state, input.detail);
    case 'refused':
      return reopen(state, `the donor refuses (${input.refusal}): ${input.detail}`);
    case 'below-horizon':
      return beginAnew(state);
    case 'offered':
      return state.kind === 'opening' ? offered(state, input, plan) : stray(state, input);
    case 'ranges':
      return state.kind === 'ranging' ? ranged(state, input.ranges, plan) : stray(state, input);
    case 'equal':
      return state.kind === 'comparing' ? compared(state, state.pending[0].until) : stray(state, input);
    case 'differs':
      return state.kind === 'comparing' ? differs(state, input) : stray(state, input);
    case 'records':
      return state.kind === 'fetching' ? fetched(state, input, plan) : stray(state, input);
    case 'merged':
      return state.kind === 'merging' ? merged(state, input) : stray(state, input);
    case 'raised':
      return state.kind === 'raising' ? end(state.place, { kind: 'done' }) : stray(state, input);
  }
}

type Live = Exclude<ReceiverState, { readonly kind: 'ended' }>;

function offered(
  state: Extract<ReceiverState, { kind: 'opening' }>,
  { offer, isBelow, isDonorBelow }: Extract<ReceiverInput, { kind: 'offered' }>,
  { isDryRun }: Plan,
): ReceiverStep {
  if (isBelow) {
    const detail =
      'this region was away for longer than deletions are kept: fill it anew with isthmus region refill';
    return end(state.place, { kind: 'failed', detail });
  }
  // Nothing of it would be merged, so no range is read; and each that is found equal would count as a step forward.
  if (isDonorBelow && !isDryRun) {
    const detail =
      'the donor lacks what was collected here: unless logs bring it, fill the donor anew with isthmus region refill there';
    return reopen(state, detail);
  }
  const { counts } = state.place;
  const cursor = isOfOtherLife(state.place, offer) ? beginning : state.place.cursor;
  const before = isBeginning(cursor) ? null : state.place.vector;
  const vector = before === null ? offer.vector : leastOf(before, offer.vector);
  const beats = before === null ? offer.beats : state.place.beats;
  return ask({ offer, place: { cursor, vector, beats, counts }, failures: state.failures });
}

/**
 * What was compared with an earlier life of the donor is compared again: a wish that came with the start of the next one
 * joined this transfer, and it asks for all that the donor then had and had told nobody (P9).
 */
function isOfOtherLife({ vector }: TransferPlace, { region, incarnation }: Offer): boolean {
  const own = (vector ?? []).filter((entry) => entry.region === region);
  return own.length > 0 && !own.some((entry) => sameIncarnation(entry.incarnation, incarnation));
}

function ask(served: Served): ReceiverStep {
  const { offer, place } = served;
  return [
    { ...served, kind: 'ranging' },
    { kind: 'ranges', offer, after: place.cursor },
  ];
}

function ranged(state: Served, ranges: readonly NextRange[], plan: Plan): ReceiverStep {
  const [first, ...rest] = ranges;
  if (first !== undefined) return compare({ ...state, pending: [first, ...rest] }, false);
  if (plan.isDryRun) return end(state.place, { kind: 'done' });
  const { offer, place, failures } = state;
  return [
    { kind: 'raising', offer, place, failures },
    { kind: 'raise', offer, vector: place.vector ?? [], beats: place.beats },
  ];
}

function compare(state: Comparing, isPartial: boolean): ReceiverStep {
  const { offer, place, failures, pending } = state;
  const range = { after: place.cursor, until: pending[0].until };
  return [
    { kind: 'comparing', offer, place, failures, pending, isPartial },
    { kind: 'compare', range, expected: isPartial ? null : pending[0] },
  ];
}

/** Everything up to `through` is done: that is a step forward. */
function compared(state: Comparing, through: RecordId): ReceiverStep {
  const [current, next, ...rest] = state.pending;
  const isWhole = isSame(current.until, through);
  const { counts } = state.place;
  const examined = counts.examined + (isWhole ? current.records : 0);
  const place = { ...state.place, cursor: through, counts: { ...counts, examined } };
  const served = { offer: state.offer, place, failures: 0 };
  if (!isWhole) return compare({ ...served, pending: state.pending }, true);
  return next === undefined ? ask(served) : compare({ ...served, pending: [next, ...rest] }, false);
}

function differs(
  state: Comparing,
  { range, have }: { readonly range: RecordRange; readonly have: readonly Uint8Array[] },
): ReceiverStep {
  const { offer, place, failures, pending } = state;
  return [
    { kind: 'fetching', offer, place, failures, pending },
    { kind: 'fetch', offer, range, have },
  ];
}

function fetched(
  state: Comparing,
  input: { readonly fetched: FetchedRecords; readonly bytes: number },
  { isDryRun }: Plan,
): ReceiverStep {
  const { records, through } = input.fetched;
  const { counts } = state.place;
  const differing = counts.differing + records.length;
  const bytes = counts.bytes + input.bytes;
  const counted = { ...state, place: { ...state.place, counts: { ...counts, differing, bytes } } };
  if (isDryRun || records.length === 0) return compared(counted, through);
  const { offer, place, failures, pending } = counted;
  return [
    { kind: 'merging', offer, place, failures, pending, through },
    { kind: 'merge', offer, records },
  ];
}

function merged(
  state: Comparing & { readonly through: RecordId },
  input: { readonly merged: number; readonly refused: number },
): ReceiverStep {
  const { counts } = state.place;
  const next = { merged: counts.merged + input.merged, refused: counts.refused + input.refused };
  return compared({ ...state, place: { ...state.place, counts: { ...counts, ...next } } }, state.through);
}

function reopen({ place, failures }: Live, detail: string): ReceiverStep {
  if (failures + 1 >= maxFailures) return end(place, { kind: 'postponed', detail });
  const afterMs = Math.min(longestWaitMs, firstWaitMs * 2 ** failures);
  return [
    { kind: 'opening', place, failures: failures + 1 },
    { kind: 'open', afterMs, begun: place.vector },
  ];
}

/** A horizon never goes back, so what this was covered by will never do: only a pass under younger snapshots can (P8). */
function beginAnew(state: Live): ReceiverStep {
  const place = { cursor: beginning, vector: null, beats: [], counts: state.place.counts };
  return reopen({ ...state, place }, 'the snapshot lies below what was collected here meanwhile');
}

function stray(state: Live, input: ReceiverInput): ReceiverStep {
  return reopen(state, `"${input.kind}" is no answer to "${state.kind}"`);
}

function end(place: TransferPlace, outcome: TransferOutcome): ReceiverStep {
  return [{ kind: 'ended', place, outcome }, { kind: 'end' }];
}

export function isBeginning({ collection, key }: RecordId): boolean {
  return collection === '' && key === '';
}

function isSame(a: RecordId, b: RecordId): boolean {
  return a.collection === b.collection && a.key === b.key;
}

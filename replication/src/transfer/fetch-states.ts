/**
 * Whole states of single records from one donor, out of one snapshot as long as that lives. Answers are bounded, so a
 * donor may give a part of what was asked; the rest is asked for again. A donor that is busy is asked again a few times,
 * and not waited for any more once the signal is aborted.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Timer } from '../ports/timer.ts';
import type { Offer, TransferAnswer, TransferPeer, TransferRequest } from '../ports/transfer-peer.ts';

export interface StatesFrom {
  readonly peer: TransferPeer;
  readonly donor: RegionId;
  readonly timer: Timer;
  readonly signal: AbortSignal;
  /** Of each snapshot, before anything is read out of it. */
  readonly onOffer?: (offer: Offer) => void;
  /** Of each answer, in order; what it throws ends the reading. */
  readonly onStates?: (states: readonly Uint8Array[]) => void;
}

const idsPerRequest = 256;
const maxRefusals = 20;

/** Aligned with `ids`; `null` where nothing is stored. Rejects with `peer-unavailable` (retriable). */
export async function fetchStates(
  from: StatesFrom,
  ids: readonly RecordId[],
): Promise<readonly (Uint8Array | null)[]> {
  const states: (Uint8Array | null)[] = [];
  for (let refusals = 0; states.length < ids.length; ) {
    const refusal = await readSome(from, ids, states);
    if (refusal === null) continue;
    const isOver = ++refusals > maxRefusals || !(await pause(from.timer, backoffMs(refusals), from.signal));
    if (isOver) throw unavailable(`${from.donor} does not serve: ${refusal}`);
  }
  return states;
}

/** Adds to `states` until it is complete or the donor refuses; says why it does. */
async function readSome(
  from: StatesFrom,
  ids: readonly RecordId[],
  states: (Uint8Array | null)[],
): Promise<string | null> {
  const opened = await ask(from, { kind: 'open' });
  if (opened.kind === 'refused') return opened.detail;
  if (opened.kind !== 'offer') throw unexpected(opened);
  const { snapshot } = opened.offer;
  from.onOffer?.(opened.offer);
  try {
    while (states.length < ids.length) {
      const wanted = ids.slice(states.length, states.length + idsPerRequest);
      const request = wanted.map(({ collection, key }) => ({ collection, key }));
      const answer = await ask(from, { kind: 'states', snapshot, ids: request });
      if (answer.kind === 'refused') return answer.detail;
      if (answer.kind !== 'states' || answer.states.length === 0) throw unexpected(answer);
      from.onStates?.(answer.states);
      for (const state of answer.states.slice(0, wanted.length))
        states.push(state.length === 0 ? null : state);
    }
    return null;
  } finally {
    await ask(from, { kind: 'close', snapshot });
  }
}

function ask({ peer, donor, signal }: StatesFrom, request: TransferRequest): Promise<TransferAnswer> {
  return peer.ask(donor, request, request.kind === 'close' ? undefined : signal);
}

function unexpected({ kind }: TransferAnswer): ReplicationError {
  return unavailable(`an answer "${kind}" that was not asked for`);
}

function unavailable(detail: string): ReplicationError {
  return new ReplicationError('peer-unavailable', detail, { retriable: true });
}

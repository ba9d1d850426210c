/**
 * What has to be sure before the rights of an actor that writes no more are claimed under its next dots (P8, I7): that
 * nobody who is left holds more of that actor in this record than this region does. Everything that is kept of it has
 * settled here, but a transfer from it that never came to its end may have left more somewhere; under the same dots that
 * would be two contents of one write. Nothing is taken from it after its close, so whoever has no more has none later.
 * What a survivor has put aside is not in its records, so it may hold nothing of this region's own earlier lives that has
 * not settled here either: rights of those are claimed as well, and they may have claimed before.
 */
import { contextOf } from '@isthmus/conflict';
import { assert, ReplicationError } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { Actor, RegionId } from '@isthmus/replication/ports/identity';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import { fetchStates, type StatesFrom } from '@isthmus/replication/transfer/fetch-states';
import type { Offer } from '@isthmus/replication/ports/transfer-peer';
import { Problem } from '../problem.ts';
import { furtherAt, type OwnPast } from './own-past.ts';

export interface ClaimWitnesses {
  readonly survivors: readonly RegionId[];
  readonly peer: TransferPeer;
  readonly timer: Timer;
}

export interface ToClaim {
  readonly id: RecordId;
  /** What this region holds. */
  readonly own: Uint8Array;
  readonly actors: readonly Actor[];
  /** Read before `own`. */
  readonly past: OwnPast;
}

const timeoutMs = 10_000;

/** Throws `claim-waits` where something of the own past is not settled, or a survivor holds more, or does not say. */
export async function requireNobodyHasMore(
  { survivors, peer, timer }: ClaimWitnesses,
  { id, own, actors, past }: ToClaim,
): Promise<void> {
  if (actors.length === 0) return;
  if (past.missing !== null) throw waits(past.missing);
  const signal = AbortSignal.timeout(timeoutMs);
  const shown = await Promise.all(survivors.map((donor) => shownBy({ peer, donor, timer, signal }, id)));
  for (const [index, { offer, state }] of shown.entries()) {
    const further = furtherAt(past, offer);
    if (further !== null) throw waits(further);
    for (const actor of actors)
      if (lastOf(state, actor) > lastOf(own, actor))
        throw waits(
          `${survivors[index]} holds more of ${actor} in this record than is here; repair it first`,
        );
  }
}

interface Shown {
  readonly offer: Offer;
  /** Empty where nothing is stored. */
  readonly state: Uint8Array;
}

async function shownBy(from: Omit<StatesFrom, 'onOffer'>, id: RecordId): Promise<Shown> {
  let offer: Offer | null = null;
  const onOffer = (made: Offer): void => {
    offer = made;
  };
  try {
    const [state] = await fetchStates({ ...from, onOffer }, [id]);
    assert(offer !== null, 'states come out of a snapshot that was offered');
    return { offer, state: state ?? new Uint8Array(0) };
  } catch (cause) {
    if (!(cause instanceof ReplicationError)) throw cause;
    throw waits(`${from.donor} does not say what it holds of this record: ${cause.message}`, cause);
  }
}

function lastOf(state: Uint8Array, actor: Actor): number {
  return state.length === 0 ? 0 : contextOf(state).last(actor);
}

function waits(detail: string, cause?: unknown): Problem {
  return new Problem('claim-waits', `Nothing was claimed: ${detail}.`, { cause });
}

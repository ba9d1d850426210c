/**
 * What has to be sure before the rights of an actor that writes no more are claimed under its next dots (P8, I7): that
 * nobody who is left holds more of that actor in this record than this region does. Everything that is kept of it has
 * settled here, but a transfer from it that never came to its end may have left more somewhere; under the same dots that
 * would be two contents of one write. Nothing is taken from it after its close, so whoever has no more has none later.
 */
import { contextOf } from '@isthmus/conflict';
import { ReplicationError } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { Actor, RegionId } from '@isthmus/replication/ports/identity';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import { fetchStates } from '@isthmus/replication/transfer/fetch-states';
import { Problem } from '../problem.ts';

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
}

const timeoutMs = 10_000;

/** Throws `claim-waits` where a survivor holds more, or does not say. */
export async function requireNobodyHasMore(
  { survivors, peer, timer }: ClaimWitnesses,
  { id, own, actors }: ToClaim,
): Promise<void> {
  if (actors.length === 0) return;
  const signal = AbortSignal.timeout(timeoutMs);
  const states = await Promise.all(
    survivors.map((donor) => statesOf(() => fetchStates({ peer, donor, timer, signal }, [id]), donor)),
  );
  for (const [index, state] of states.entries())
    for (const actor of actors)
      if (lastOf(state, actor) > lastOf(own, actor))
        throw waits(
          `${survivors[index]} holds more of ${actor} in this record than is here; repair it first`,
        );
}

async function statesOf(
  fetch: () => ReturnType<typeof fetchStates>,
  survivor: RegionId,
): Promise<Uint8Array> {
  try {
    const [state = null] = await fetch();
    return state ?? new Uint8Array(0);
  } catch (cause) {
    if (!(cause instanceof ReplicationError)) throw cause;
    throw waits(`${survivor} does not say what it holds of this record: ${cause.message}`, cause);
  }
}

function lastOf(state: Uint8Array, actor: Actor): number {
  return state.length === 0 ? 0 : contextOf(state).last(actor);
}

function waits(detail: string, cause?: unknown): Problem {
  return new Problem('claim-waits', `Nothing was claimed: ${detail}.`, { cause });
}

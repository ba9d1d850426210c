/**
 * Whether all that this region wrote in its earlier lives has settled here, which whoever claims rights has to know
 * (P8, P9, I7). Writes do not wait for that: a change that was put aside when the past was learnt again is in the log of
 * its life, and comes back under dots of its own. A claim takes the next dots of an actor that is gone, so an own change
 * that is put aside, a spending of that actor or an earlier claim, may have taken the same ones.
 */
import { show } from '@isthmus/replication/identity/relearning-judge';
import { sameIncarnation } from '@isthmus/replication/ports/identity';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { Offer } from '@isthmus/replication/ports/transfer-peer';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import type { Vector, WholePast } from '@isthmus/replication/ports/vector';
import { ownEntries, type Self } from '@isthmus/replication/reach';
import { lacking, outside } from '@isthmus/replication/vector';

export interface PastParts {
  readonly self: Self;
  readonly incarnations: Pick<IncarnationStore, 'relearning'>;
  readonly transfers: Pick<TransferStore, 'standing'>;
}

export interface OwnPast {
  readonly self: Self;
  /** Here, of everybody. */
  readonly settled: Vector;
  readonly whole: readonly WholePast[];
  /** In one clause, what of the past is not settled here; `null`: nothing. */
  readonly missing: string | null;
}

export async function readOwnPast({ self, incarnations, transfers }: PastParts): Promise<OwnPast> {
  const relearning = await incarnations.relearning();
  const { applied, settled, whole } = await transfers.standing();
  const aside = lacking(settled, earlierLives(self, applied));
  if (relearning !== null)
    return { self, settled, whole, missing: 'this region has not learnt all of its earlier lives again' };
  const missing =
    aside && `changes up to ${show(aside)}, of an earlier life of this region, are put aside here`;
  return { self, settled, whole, missing };
}

/**
 * In one clause, why a peer that says this of itself may still bring changes of an earlier life; `null`: it has none that
 * have not settled here, and takes no more out of any log.
 */
export function furtherAt(
  { self, settled, whole }: OwnPast,
  peer: Pick<Offer, 'region' | 'vector' | 'ahead' | 'whole'>,
): string | null {
  if (self.incarnation.counter === 1) return null;
  if (lacking(peer.vector, ownEntries(self, 1n)) !== null)
    return `${peer.region} does not read the present life of this region yet`;
  const further = lacking(settled, shownBeyond(earlierLives(self, peer.ahead), [whole, peer.whole]));
  return further && `${peer.region} may have put aside changes up to ${show(further)} that are not here`;
}

/** Where a past is whole on both sides, none of its changes lies aside on either, and nothing more is ahead of it. */
function shownBeyond(
  ahead: Vector,
  [here, there]: readonly [readonly WholePast[], readonly WholePast[]],
): Vector {
  return outside(
    ahead,
    here.flatMap(({ region, before }) => {
      const other = there.find((past) => past.region === region);
      return other === undefined ? [] : [{ region, before: Math.min(before, other.before) }];
    }),
  );
}

function earlierLives({ region, incarnation }: Self, vector: Vector): Vector {
  return vector.filter(
    (entry) => entry.region === region && !sameIncarnation(entry.incarnation, incarnation),
  );
}

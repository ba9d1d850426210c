/**
 * Asks the peers what they hold and judges what would be lost if this region were filled anew. It opens one snapshot of
 * each peer and gives it back at once; a peer that does not answer, or refuses, holds nothing as far as can be
 * told. Nor does one that is to be filled anew itself: two regions that count on each other would both drop what they have.
 * Each notes its wish before it asks, so whoever asks later sees the other's. It changes nothing anywhere.
 */
import type { Lsn } from '../ports/change.ts';
import type { RegionId } from '../ports/identity.ts';
import { offerOf } from '../peer-offer.ts';
import type { IncarnationStore } from '../ports/incarnation-store.ts';
import type { TransferPeer } from '../ports/transfer-peer.ts';
import type { TransferStore } from '../ports/transfer-store.ts';
import type { Self } from '../reach.ts';
import { judgeRefill, type RefillJudgement } from './judge-refill.ts';

export interface SurveyOptions {
  readonly self: Self;
  readonly peers: readonly RegionId[];
  readonly peer: TransferPeer;
  readonly store: Pick<TransferStore, 'standing'>;
  readonly incarnations: Pick<IncarnationStore, 'relearning'>;
}

export interface PeerSurvey {
  readonly peer: RegionId;
  /** Why it offers nothing; `null`: it does. */
  readonly refusal: string | null;
}

export interface Survey extends RefillJudgement {
  readonly asked: readonly PeerSurvey[];
}

/** Rejects with what the own database rejects with. Once the signal is aborted it says nothing of the peers. */
export async function surveyPeers(
  options: SurveyOptions,
  ownThrough: Lsn,
  signal?: AbortSignal,
): Promise<Survey> {
  const { self, peers, store, incarnations } = options;
  const standing = await store.standing();
  const pasts = (await incarnations.relearning())?.pasts ?? [];
  const answers = await Promise.all(peers.map((peer) => offerOf(options.peer, peer, signal)));
  const offers = answers.flatMap(({ offer }) => (offer === null || offer.mayBeEmptied ? [] : offer));
  const judgement = judgeRefill({ self, standing, pasts, ownThrough, offers });
  return {
    ...judgement,
    asked: answers.map(({ peer, offer, refusal }) => ({
      peer,
      refusal: offer?.mayBeEmptied === true ? 'is to be filled anew itself' : refusal,
    })),
  };
}

/**
 * What a peer holds, as the offer of one snapshot says it, which is opened for that and given back at once (P6). A peer
 * that does not answer, or refuses, holds nothing as far as can be told. It changes nothing anywhere.
 */
import { ReplicationError } from './errors.ts';
import type { RegionId } from './ports/identity.ts';
import type { Offer, TransferPeer } from './ports/transfer-peer.ts';

/** `refusal`: why it offers nothing; `isSilent`: it did not answer at all. */
export type PeerOffer =
  | { readonly peer: RegionId; readonly offer: Offer; readonly refusal: null; readonly isSilent: false }
  | { readonly peer: RegionId; readonly offer: null; readonly refusal: string; readonly isSilent: boolean };

export async function offerOf(
  donors: TransferPeer,
  peer: RegionId,
  signal?: AbortSignal,
): Promise<PeerOffer> {
  const refused = (refusal: string, isSilent = false): PeerOffer => ({
    peer,
    offer: null,
    refusal,
    isSilent,
  });
  try {
    const answer = await donors.ask(peer, { kind: 'open' }, signal);
    if (answer.kind === 'refused') return refused(`refuses (${answer.refusal}): ${answer.detail}`);
    if (answer.kind !== 'offer' || answer.offer.region !== peer)
      return refused('gave an answer that does not fit');
    await donors.ask(peer, { kind: 'close', snapshot: answer.offer.snapshot });
    return { peer, offer: answer.offer, refusal: null, isSilent: false };
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
    return refused(reason.message, true);
  }
}

/**
 * The donors of peers that live in the same memory. Requests and answers go through their bytes, so that what is read
 * is what a wire would carry.
 */
import { ReplicationError } from '../../errors.ts';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from '../../log/transfer-message.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { TransferAnswer, TransferPeer, TransferRequest } from '../../ports/transfer-peer.ts';

export interface MemoryDonor {
  answer(request: TransferRequest): Promise<TransferAnswer>;
}

export class MemoryTransferPeer implements TransferPeer {
  readonly #donorOf: (peer: RegionId) => MemoryDonor | null;

  /** `donorOf` gives `null` where the peer cannot be reached now. */
  constructor(donorOf: (peer: RegionId) => MemoryDonor | null) {
    this.#donorOf = donorOf;
  }

  async ask(peer: RegionId, request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer> {
    const donor = signal?.aborted === true ? null : this.#donorOf(peer);
    if (donor === null)
      throw new ReplicationError('peer-unavailable', `${peer} cannot be reached`, { retriable: true });
    const answer = await donor.answer(decodeRequest(encodeRequest(request)));
    return decodeAnswer(encodeAnswer(answer));
  }
}

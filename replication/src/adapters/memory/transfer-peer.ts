/**
 * The donors of peers that live in the same memory. Requests and answers go through their bytes, so that what is read
 * is what a wire would carry, and end as they do over one: in time, or with `peer-unavailable`. A bug of the donor is not
 * hidden by that.
 */
import { ReplicationError } from '../../errors.ts';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from '../../log/transfer-message.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Timer } from '../../ports/timer.ts';
import type { TransferAnswer, TransferPeer, TransferRequest } from '../../ports/transfer-peer.ts';
import { silence } from './silence.ts';

const answerTimeoutMs = 15_000;
const closeTimeoutMs = 1000;

export interface MemoryDonor {
  answer(request: TransferRequest): Promise<TransferAnswer>;
}

export class MemoryTransferPeer implements TransferPeer {
  readonly #donorOf: (peer: RegionId) => MemoryDonor | null;
  readonly #timer: Timer;

  /** `donorOf` gives `null` where the peer cannot be reached now. */
  constructor(donorOf: (peer: RegionId) => MemoryDonor | null, timer: Timer) {
    this.#donorOf = donorOf;
    this.#timer = timer;
  }

  async ask(peer: RegionId, request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer> {
    const donor = signal?.aborted === true ? null : this.#donorOf(peer);
    if (donor === null) throw unavailable(`${peer} cannot be reached`);
    const timeoutMs = request.kind === 'close' ? closeTimeoutMs : answerTimeoutMs;
    const { over, letGo } = silence(this.#timer, timeoutMs, signal);
    const unanswered = over.then(() => {
      throw unavailable(`${peer} does not answer`);
    });
    return Promise.race([answerOf(donor, request), unanswered]).finally(letGo);
  }
}

async function answerOf(donor: MemoryDonor, asked: TransferRequest): Promise<TransferAnswer> {
  try {
    const request = readBack(asked);
    if ('refusal' in request) return request;
    return decodeAnswer(encodeAnswer(await donor.answer(request)));
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
    throw unavailable(reason.message, reason);
  }
}

/** As the donor reads it, or its refusal. */
function readBack(request: TransferRequest): TransferRequest | Extract<TransferAnswer, { kind: 'refused' }> {
  try {
    return decodeRequest(encodeRequest(request));
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
    return { kind: 'refused', refusal: 'malformed-request', detail: reason.message };
  }
}

function unavailable(message: string, cause?: unknown): ReplicationError {
  return new ReplicationError('peer-unavailable', message, { retriable: true, cause });
}

/**
 * Asks the peers how far they hold the region's earlier lives (P9). A log that has lost its newest records ends early and
 * shows no hole, so only who has read them can tell. What a peer says counts once it has read the start of the present
 * life in every partition: from then on it takes nothing of the earlier ones. A peer that does not answer is asked again,
 * for a few seconds, and after that only if what it was promised depends on its word, because a region writes alone (I8).
 * It changes nothing anywhere.
 */
import { offerOf, type PeerOffer } from '../peer-offer.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Timer } from '../ports/timer.ts';
import type { TransferPeer } from '../ports/transfer-peer.ts';
import type { Vector } from '../ports/vector.ts';
import { ownEntries, type Self } from '../reach.ts';
import { lacking } from '../vector.ts';
import type { HeldPast } from './relearning-judge.ts';

export interface PastSurveyOptions {
  readonly self: Self;
  readonly donors: TransferPeer;
  readonly timer: Timer;
  /** Nobody waits for what they say any more. */
  readonly signal: AbortSignal;
}

/** How long peers are waited for that do not say how far they are; and each answer, so that a lost one does not use it up. */
const patienceMs = 5000;
/** Who does not answer at all was mostly waited for before the new life was taken. */
const silenceMs = 2000;

export class PastSurvey {
  readonly #options: PastSurveyOptions;
  readonly #held = new Map<RegionId, HeldPast>();
  readonly #others = new Map<RegionId, Vector>();
  #sinceMs: number | null = null;
  /** Since when nothing else is waited for. */
  #patientSinceMs: number | null = null;
  #isPatienceOver = false;
  /** When some peer last answered anything. */
  #answeredAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PastSurveyOptions) {
    this.#options = options;
  }

  /** By peer, what it holds of the earlier lives. */
  get held(): ReadonlyMap<RegionId, HeldPast> {
    return this.#held;
  }

  /** By peer that has answered, what it holds of other regions and of itself. */
  get others(): ReadonlyMap<RegionId, Vector> {
    return this.#others;
  }

  /** They were asked once more when the time was over, because one answer that is lost on the way says nothing. */
  get isPatienceOver(): boolean {
    return this.#isPatienceOver;
  }

  /** None of those that were asked has answered for so long that writes no longer wait for them (I8). */
  get isSilent(): boolean {
    if (this.#sinceMs === null) return false;
    return this.#options.timer.monotonicMs() - Math.max(this.#sinceMs, this.#answeredAtMs) >= silenceMs;
  }

  /** Asks while nothing else is waited for; the patience is that of one such time. */
  async askPatiently(peers: readonly RegionId[]): Promise<void> {
    const nowMs = this.#options.timer.monotonicMs();
    this.#patientSinceMs ??= nowMs;
    const isLast = nowMs - this.#patientSinceMs >= patienceMs;
    await this.ask(peers);
    this.#isPatienceOver = isLast;
  }

  /** Something is fetched first, and who gave it is asked after that. */
  startPatienceAnew(): void {
    this.#patientSinceMs = null;
    this.#isPatienceOver = false;
  }

  async ask(peers: readonly RegionId[]): Promise<void> {
    this.#sinceMs ??= this.#options.timer.monotonicMs();
    await Promise.all(peers.map((peer) => this.#askOne(peer)));
  }

  async #askOne(peer: RegionId): Promise<void> {
    const { self, timer } = this.#options;
    const { offer, isSilent } = await this.#offerOf(peer);
    if (!isSilent) this.#answeredAtMs = timer.monotonicMs();
    if (offer === null) return;
    const { region, incarnation } = self;
    this.#others.set(
      peer,
      offer.vector.filter((entry) => entry.region !== region),
    );
    if (lacking(offer.vector, ownEntries(self, 1n)) !== null) return;
    const past = (vector: Vector): Vector =>
      vector.filter((entry) => entry.region === region && !sameIncarnation(entry.incarnation, incarnation));
    this.#held.set(peer, { vector: past(offer.vector), ahead: past(offer.ahead) });
  }

  async #offerOf(peer: RegionId): Promise<PeerOffer> {
    const { donors, timer, signal } = this.#options;
    const limit = new AbortController();
    const end = (): void => limit.abort();
    const letGo = timer.after(patienceMs, end);
    signal.addEventListener('abort', end, { once: true });
    try {
      return await offerOf(donors, peer, signal.aborted ? signal : limit.signal);
    } finally {
      letGo();
      signal.removeEventListener('abort', end);
    }
  }
}

/**
 * Which lives peers know a region by whose claims lie in a log beside its database (P9). Where that log is lost and made
 * anew the claims go with it, and peers drop whatever a life writes whose counter is not above those that they know. So
 * each of them is waited for before a counter is chosen, as long as a silent peer is ever waited for, because a region
 * goes on without those that are gone (I8, 0046). One that tells of another life later, of which the log says nothing,
 * has the region take a life above that (0078). What the log holds is its own matter: somebody else may live by it.
 */
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import type { ControlLog } from '../ports/control-log.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { PeerMemory } from '../ports/peer-memory.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import type { Alarms } from './evidence.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { askPeers, otherLives, patienceMs, peerLookIntervalMs, type Testimony } from './peer-testimony.ts';
import { readClaims } from './renewal.ts';

export interface PeerLivesOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly peers: readonly RegionId[];
  /** Of these, who is gone for good. */
  readonly closed: () => readonly RegionId[];
  readonly memory: PeerMemory;
  readonly past: Pick<IdentityStore, 'standing'>;
  readonly control: ControlLog;
  readonly timer: Timer;
  readonly logger: Logger;
}

export class PeerLives {
  readonly #options: PeerLivesOptions;
  readonly #ticker: Ticker;
  #onOtherLife: Alarms['onOtherLife'] = async () => undefined;
  /** What was ever told stays told, also by a peer that is silent by now. */
  #highestCounter = 0;
  /** Who has answered since the database was last well. */
  readonly #answered = new Set<RegionId>();
  #waitingSinceMs: number | null = null;

  constructor(options: PeerLivesOptions) {
    const { timer, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      () => this.#look(),
      (err) => logger.debug({ err }, 'which lives peers know of us is asked again'),
    );
    this.#ticker = new Ticker({ timer, intervalMs: peerLookIntervalMs, run });
  }

  start({ onOtherLife }: Pick<Alarms, 'onOtherLife'>): void {
    this.#onOtherLife = onOtherLife;
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  /** Rejects with `log-unavailable` while a peer does not answer that is still waited for. */
  async highestCounter(): Promise<number> {
    const { peers, closed, timer } = this.#options;
    await this.#ask();
    const gone = closed();
    const silent = peers.filter((peer) => !gone.includes(peer) && !this.#answered.has(peer));
    const nowMs = timer.monotonicMs();
    this.#waitingSinceMs ??= nowMs;
    if (silent.length > 0 && nowMs - this.#waitingSinceMs < patienceMs) {
      const detail = `${silent.join(', ')} does not say which incarnations of this region it knows`;
      throw new ReplicationError('log-unavailable', detail, { retriable: true });
    }
    return this.#highestCounter;
  }

  async #look(): Promise<void> {
    const { past, self } = this.#options;
    if (past.standing !== 'same') return;
    this.#answered.clear();
    this.#waitingSinceMs = null;
    const others = otherLives(await this.#ask(), self.incarnation);
    if (others.length === 0) return;
    const claims = await readClaims(this.#options);
    const unknown = others.find(({ incarnation }) => !isTold(claims, self.incarnation, incarnation));
    // What has been renewed or set back since it was asked about is judged anew.
    if (unknown === undefined || past.standing !== 'same') return;
    await this.#onOtherLife(unknown.reason);
  }

  async #ask(): Promise<readonly Testimony[]> {
    const answers = await askPeers(this.#options);
    for (const { peer, beat } of answers) {
      this.#answered.add(peer);
      if (beat !== 'nothing') this.#highestCounter = Math.max(this.#highestCounter, beat.incarnation.counter);
    }
    return answers;
  }
}

/** Who has claimed that life, or one above ours, is heard there: whether he lives is not for peers to say. */
function isTold(claims: readonly Incarnation[], own: Incarnation, other: Incarnation): boolean {
  return claims.some((claim) => claim.counter > own.counter || sameIncarnation(claim, other));
}

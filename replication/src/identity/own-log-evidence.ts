/**
 * The own log as a witness: it is compared with the database, and its beats and claims are listened to all the time. Of
 * lives whose claims have gone with a log that was lost, peers are asked.
 */
import { ClaimTail, type ClaimTailOptions } from './claim-tail.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { OwnLogProof, type Verdict } from './own-log-proof.ts';
import { OwnLogTail, type OwnLogTailOptions } from './own-log-tail.ts';
import type { Alarms, Evidence } from './evidence.ts';
import { PeerLives, type PeerLivesOptions } from './peer-lives.ts';

export interface OwnLogEvidenceOptions
  extends Omit<OwnLogProofOptions, 'store'>,
    Omit<OwnLogTailOptions, 'onForeign' | 'past'>,
    Omit<PeerLivesOptions, 'past' | 'records'> {
  readonly past: OwnLogProofOptions['store'] & OwnLogTailOptions['past'] & ClaimTailOptions['past'];
  /** Creates the topics where they are absent, so that there is a log to ask. */
  readonly prepareLog: () => Promise<void>;
}

export class OwnLogEvidence implements Evidence {
  readonly #options: OwnLogEvidenceOptions;
  readonly #tail: OwnLogTail;
  readonly #claims: ClaimTail;
  readonly #lives: PeerLives;
  #onForeign: (reason: string) => Promise<void> = async () => undefined;

  constructor(options: OwnLogEvidenceOptions) {
    this.#options = options;
    const onForeign = (reason: string) => this.#onForeign(reason);
    this.#tail = new OwnLogTail({ ...options, onForeign });
    this.#claims = new ClaimTail({ ...options, onForeign });
    this.#lives = new PeerLives(options);
  }

  start(alarms: Alarms): void {
    this.#onForeign = alarms.onForeign;
    this.#tail.start();
    this.#claims.start();
    this.#lives.start(alarms);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#tail.close(), this.#claims.close(), this.#lives.stop()]);
  }

  prepare(): Promise<void> {
    return this.#options.prepareLog();
  }

  async compare(): Promise<Verdict> {
    const verdict = await new OwnLogProof({ ...this.#options, store: this.#options.past }).run();
    return verdict.kind === 'broken' ? { ...verdict, isOnlyLogged: true } : verdict;
  }

  isAlone(forMs: number): Promise<boolean> {
    return this.#tail.isAlone(forMs);
  }

  highestCounter(): Promise<number> {
    return this.#lives.highestCounter();
  }

  newestProgress(): Promise<Uint8Array | null> {
    return this.#options.log.newestProgress();
  }
}

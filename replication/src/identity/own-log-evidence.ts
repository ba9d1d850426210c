/** The own log as a witness: it is compared with the database, and its beats and claims are listened to all the time. */
import { ClaimTail, type ClaimTailOptions } from './claim-tail.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { OwnLogProof, type Verdict } from './own-log-proof.ts';
import { OwnLogTail, type OwnLogTailOptions } from './own-log-tail.ts';
import type { RegionId } from '../ports/identity.ts';
import type { PeerMemory } from '../ports/peer-memory.ts';
import type { Alarms, Evidence } from './evidence.ts';

export interface OwnLogEvidenceOptions
  extends Omit<OwnLogProofOptions, 'store'>,
    Omit<OwnLogTailOptions, 'onForeign' | 'past'> {
  readonly past: OwnLogProofOptions['store'] & OwnLogTailOptions['past'] & ClaimTailOptions['past'];
  /** Creates the topics where they are absent, so that there is a log to ask. */
  readonly prepareLog: () => Promise<void>;
  readonly peers: readonly RegionId[];
  readonly memory: PeerMemory;
}

export class OwnLogEvidence implements Evidence {
  readonly #options: OwnLogEvidenceOptions;
  readonly #tail: OwnLogTail;
  readonly #claims: ClaimTail;
  #onForeign: (reason: string) => Promise<void> = async () => undefined;

  constructor(options: OwnLogEvidenceOptions) {
    this.#options = options;
    const onForeign = (reason: string) => this.#onForeign(reason);
    this.#tail = new OwnLogTail({ ...options, onForeign });
    this.#claims = new ClaimTail({ ...options, onForeign });
  }

  start({ onForeign }: Pick<Alarms, 'onForeign'>): void {
    this.#onForeign = onForeign;
    this.#tail.start();
    this.#claims.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#tail.close(), this.#claims.close()]);
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

  /**
   * Claims are in the control topic, and go with it where the region's Kafka is lost and made anew. Peers would drop all that
   * a life writes whose counter is not above those that they know.
   */
  async highestCounter(): Promise<number> {
    const { peers, memory } = this.#options;
    const remembered = await Promise.all(peers.map((peer) => memory.rememberedBy(peer)));
    return Math.max(
      0,
      ...remembered.map((beat) => (beat === null || beat === 'nothing' ? 0 : beat.incarnation.counter)),
    );
  }

  newestProgress(): Promise<Uint8Array | null> {
    return this.#options.log.newestProgress();
  }
}

/** The own log as a witness: it is compared with the database, and listened to all the time. */
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { OwnLogProof, type Verdict } from './own-log-proof.ts';
import { OwnLogTail, type OwnLogTailOptions } from './own-log-tail.ts';
import type { Evidence } from './evidence.ts';

export interface OwnLogEvidenceOptions
  extends Omit<OwnLogProofOptions, 'store'>,
    Omit<OwnLogTailOptions, 'onForeign' | 'past'> {
  readonly past: OwnLogProofOptions['store'] & OwnLogTailOptions['past'];
  /** Creates the topics where they are absent, so that there is a log to ask. */
  readonly prepareLog: () => Promise<void>;
}

export class OwnLogEvidence implements Evidence {
  readonly #options: OwnLogEvidenceOptions;
  readonly #tail: OwnLogTail;
  #onForeign: (reason: string) => Promise<void> = async () => undefined;

  constructor(options: OwnLogEvidenceOptions) {
    this.#options = options;
    this.#tail = new OwnLogTail({ ...options, onForeign: (reason) => this.#onForeign(reason) });
  }

  start(onForeign: (reason: string) => Promise<void>): void {
    this.#onForeign = onForeign;
    this.#tail.start();
  }

  stop(): Promise<void> {
    return this.#tail.close();
  }

  prepare(): Promise<void> {
    return this.#options.prepareLog();
  }

  compare(): Promise<Verdict> {
    return new OwnLogProof({ ...this.#options, store: this.#options.past }).run();
  }

  isAlone(forMs: number): Promise<boolean> {
    return this.#tail.isAlone(forMs);
  }

  /** Its claims are all in the control topic. */
  async highestCounter(): Promise<number> {
    return 0;
  }

  newestProgress(): Promise<Uint8Array | null> {
    return this.#options.log.newestProgress();
  }
}

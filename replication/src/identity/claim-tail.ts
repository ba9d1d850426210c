/**
 * Listens to the control topic of the own log for claims of others (P9): whoever claims a counter above ours has found
 * nobody alive, or will not wait for us, and goes on in the region's name; every write that is acknowledged here from then
 * on is one that nobody takes. So the writes end at the claim and not only at the `start` that follows it. A claim that this
 * database has noted is its own, made by whichever of its processes renews it. One that a database makes which is not
 * proven, or held, stops nothing: nothing is written there.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { decodeClaim } from '../log/claim-record.ts';
import type { FeedSubscription } from '../ports/change-feed.ts';
import { type Incarnation, sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { OwnLog } from '../ports/own-log.ts';
import type { Timer } from '../ports/timer.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';

export interface ClaimTailOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly past: Pick<IdentityStore, 'standing' | 'claim'>;
  readonly log: Pick<OwnLog, 'claims'>;
  readonly timer: Timer;
  readonly logger: Logger;
  readonly onForeign: (reason: string) => Promise<void>;
}

export class ClaimTail {
  readonly #options: ClaimTailOptions;
  readonly #end = new AbortController();
  #subscription: FeedSubscription | null = null;
  #running: Promise<void> | null = null;

  constructor(options: ClaimTailOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#subscription?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const subscription = this.#options.log.claims();
    this.#subscription = subscription;
    for (let batch = await subscription.next(); batch !== null; batch = await subscription.next())
      for (const { bytes } of batch.records) await this.#hear(bytes);
  }

  async #hear(bytes: Uint8Array): Promise<void> {
    const { self, onForeign } = this.#options;
    const claimed = claimIn(bytes, self);
    if (claimed === null || claimed.counter <= self.incarnation.counter) return;
    if (await this.#isOwn(claimed)) return;
    await onForeign(`another database of the region has claimed incarnation ${claimed.counter}`);
  }

  /** Tried until the database answers: a claim that was heard is not forgotten. */
  async #isOwn(claimed: Incarnation): Promise<boolean> {
    const { past, timer, logger } = this.#options;
    for (let attempt = 0; !this.#end.signal.aborted; attempt++) {
      try {
        const noted = await past.claim();
        return past.standing !== 'same' || (noted !== null && sameIncarnation(noted, claimed));
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        logger.debug({ err: reason }, 'a claim in the own log waits to be looked up');
        await pause(timer, backoffMs(attempt), this.#end.signal);
      }
    }
    return true;
  }
}

/** Of our region; what cannot be read claims nothing. */
function claimIn(bytes: Uint8Array, { region: own }: OwnLogProofOptions['self']): Incarnation | null {
  try {
    const { region, incarnation } = decodeClaim(bytes);
    return region === own ? incarnation : null;
  } catch (reason) {
    if (!(reason instanceof ReplicationError)) throw reason;
    return null;
  }
}

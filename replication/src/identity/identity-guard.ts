/**
 * Keeps a region from writing on a database that is not its own past (P1, I11). A server that was started anew is
 * compared with the own log before any write; what does not continue that log is refused for as long as it is so,
 * with its reason in sight, and reads go on. While all is well it listens to the own log, and stops the writes of the
 * whole region when somebody else publishes in its name. It never makes anything up: where the log does not answer,
 * the question stays open and writes wait, unless an operator says otherwise.
 */
import { ReplicationError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import { OwnLogProof } from './own-log-proof.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { OwnLogTail } from './own-log-tail.ts';

export type IdentityState =
  | { readonly kind: 'proven' }
  /** Writes wait for the comparison; `reason` says what it waits for. */
  | { readonly kind: 'unproven'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface IdentityGuardOptions extends Omit<OwnLogProofOptions, 'store'> {
  readonly past: IdentityStore;
  /** Creates the topics where they are absent, so that there is a log to ask. */
  readonly prepareLog: () => Promise<void>;
  readonly timer: Timer;
  readonly logger: Logger;
  readonly onRefused: (reason: string) => void;
}

const lookIntervalMs = 100;
/** A verdict against the database is looked at again, in case the log was repaired. */
const refusedIntervalMs = 15_000;
/** After a promotion the old primary may go on for as long as this without having heard of it. */
const aloneMs = 10_000;

const comparing = 'the server was started anew and is compared with the own log';

export class IdentityGuard {
  readonly #options: IdentityGuardOptions;
  readonly #ticker: Ticker;
  readonly #tail: OwnLogTail;
  #state: IdentityState = { kind: 'proven' };
  #quietUntilMs = 0;

  constructor(options: IdentityGuardOptions) {
    const { timer } = options;
    this.#options = options;
    this.#ticker = new Ticker({ timer, intervalMs: lookIntervalMs, run: () => this.#look() });
    this.#tail = new OwnLogTail({ ...options, onForeign: (reason) => this.#hold(reason) });
  }

  get state(): IdentityState {
    return this.#state;
  }

  start(): void {
    this.#ticker.start();
    this.#tail.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#ticker.stop(), this.#tail.close()]);
  }

  async #look(): Promise<void> {
    const { past, timer, logger } = this.#options;
    if (past.standing === 'same') {
      this.#state = { kind: 'proven' };
      return;
    }
    if (timer.monotonicMs() < this.#quietUntilMs) return;
    try {
      await this.#decide();
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      if (this.#state.kind !== 'unproven' || this.#state.reason !== reason.message) {
        logger.warn({ err: reason }, 'the database cannot be compared with the own log yet; writes wait');
      }
      this.#state = { kind: 'unproven', reason: reason.message };
      this.#quietUntilMs = timer.monotonicMs() + 2 * lookIntervalMs;
    }
  }

  async #decide(): Promise<void> {
    const { past, timer, logger } = this.#options;
    const continuity = await past.continuity();
    if (continuity.kind === 'broken') return this.#refuse(continuity.reason);
    if (continuity.kind === 'same') return;
    if (this.#state.kind === 'proven') this.#state = { kind: 'unproven', reason: comparing };
    const startedMs = timer.monotonicMs();
    await this.#options.prepareLog();
    if (continuity.isPromoted && !(await this.#tail.isAlone(aloneMs))) {
      return this.#refuse('somebody else published in our name while this server was being promoted');
    }
    const verdict = await new OwnLogProof({ ...this.#options, store: past }).run();
    if (verdict.kind === 'broken') return this.#refuse(verdict.reason);
    await past.prove(continuity.lineage);
    const durationMs = Math.round(timer.monotonicMs() - startedMs);
    const { readRecords } = verdict;
    logger.info({ durationMs, readRecords }, 'the server that was started anew continues the own log');
  }

  #refuse(reason: string): void {
    const { timer, logger, onRefused } = this.#options;
    this.#quietUntilMs = timer.monotonicMs() + refusedIntervalMs;
    if (this.#state.kind === 'refused' && this.#state.reason === reason) return;
    this.#state = { kind: 'refused', reason };
    logger.error({ reason }, 'this database does not continue the past of its region; writes are refused');
    onRefused(reason);
  }

  async #hold(reason: string): Promise<void> {
    await this.#options.past.hold(reason);
    this.#refuse(reason);
  }
}

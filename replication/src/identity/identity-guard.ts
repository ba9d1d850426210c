/**
 * Keeps a region from writing on a database that is not its own past (P1, I11). A server that was started anew is
 * compared with what testifies to the past before any write: the own log, or the peers where that lies in the database.
 * What does not continue it becomes a new incarnation (P9), unless somebody else is alive in the region's name: then it is
 * refused, with its reason in sight, and reads go on. While all is well it goes on asking, and stops the writes of the whole
 * region when somebody else publishes in its name. It never makes anything up: where the own log does not answer, the
 * question stays open and writes wait, unless an operator says otherwise; where it is peers that do not, the region goes on
 * under a new name, because what is written under that can be mistaken for nothing.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import type { ControlLog } from '../ports/control-log.ts';
import type { Logger } from '../ports/logger.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import type { Evidence } from './evidence.ts';
import type { OwnLogProofOptions, Verdict } from './own-log-proof.ts';
import { renewIncarnation } from './renewal.ts';

export type IdentityState =
  | { readonly kind: 'proven' }
  /** Writes wait for the comparison; `reason` says what it waits for. */
  | { readonly kind: 'unproven'; readonly reason: string }
  /** It is not its own past, for this reason, and is about to become a new incarnation. */
  | { readonly kind: 'renewing'; readonly reason: string }
  /** It has become one, and this process has to be opened again. */
  | { readonly kind: 'renewed'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface IdentityGuardOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly past: IdentityStore;
  readonly evidence: Evidence;
  readonly control: ControlLog;
  /** Of 32 bits, from chance. */
  readonly newNonce: () => number;
  readonly timer: Timer;
  readonly logger: Logger;
  readonly onRefused: (reason: string) => void;
  /** The database takes writes, after a time in which it did not; told more than once perhaps. */
  readonly onProven: () => void;
}

const lookIntervalMs = 100;
/** A verdict against the database, and a log that this version cannot read, is looked at again, in case it was repaired. */
const refusedIntervalMs = 15_000;
/** After a promotion the old primary may go on for as long as this without having heard of it. */
const aloneMs = 10_000;

const onAWord = 'a new incarnation is taken on the word of an operator';
const onPeersWord = 'a new incarnation is taken because peers know the region under another';
/** Holds that end with a new incarnation, whatever process finds them. */
const meant: ReadonlySet<string> = new Set([onAWord, onPeersWord]);
/** A hold of a database that a comparison has spoken against, with what it said. */
export const contradicted = 'this database is not its own past: ';
const comparing = 'the server was started anew and is compared with the own log';

export class IdentityGuard {
  readonly #options: IdentityGuardOptions;
  readonly #ticker: Ticker;
  readonly #end = new AbortController();
  #state: IdentityState;
  #quietUntilMs = 0;
  /** An operator wants a new incarnation. */
  #isWanted = false;
  #confirm: () => Promise<void> = async () => {};

  constructor(options: IdentityGuardOptions) {
    const { timer, past } = options;
    this.#options = options;
    this.#state = past.standing === 'same' ? { kind: 'proven' } : { kind: 'unproven', reason: comparing };
    this.#ticker = new Ticker({ timer, intervalMs: lookIntervalMs, run: () => this.#look() });
  }

  get state(): IdentityState {
    return this.#state;
  }

  /**
   * On an operator's word: whatever is known of the database, it takes a new incarnation, unless somebody else is alive in
   * its name. No process of the region writes from here on until that is done.
   */
  async renew(): Promise<void> {
    await this.#options.past.hold(onAWord);
    this.#isWanted = true;
    this.#quietUntilMs = 0;
  }

  /** Before a claim is made this is waited for; what it rejects with ends the attempt. */
  confirmFirst(confirm: () => Promise<void>): void {
    this.#confirm = confirm;
  }

  /** No dot of this life is one of the other's, so nothing that was written is in the way of a third. */
  async #leave(reason: string): Promise<void> {
    const { past, logger } = this.#options;
    if ((await past.continuity()).kind !== 'same') return;
    logger.error({ reason }, 'peers know the region under another incarnation; it takes a new one');
    await past.hold(onPeersWord);
  }

  start(): void {
    this.#ticker.start();
    this.#options.evidence.start({
      onForeign: (reason) => this.#hold(reason),
      onOtherLife: (reason) => this.#leave(reason),
    });
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await Promise.all([this.#ticker.stop(), this.#options.evidence.stop()]);
  }

  async #look(): Promise<void> {
    const { past, timer, logger, onProven } = this.#options;
    if (this.#state.kind === 'renewed') return;
    if (past.standing === 'same') {
      if (this.#state.kind !== 'proven') onProven();
      this.#state = { kind: 'proven' };
      // The connection may be older than a hold: then the next one says otherwise, and is asked why at once.
      this.#quietUntilMs = 0;
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
      const isLasting = reason.code === 'newer-format';
      this.#quietUntilMs = timer.monotonicMs() + (isLasting ? refusedIntervalMs : 2 * lookIntervalMs);
    }
  }

  async #decide(): Promise<void> {
    const { past, timer, logger, onProven } = this.#options;
    const continuity = await past.continuity();
    if (continuity.kind === 'renewed') {
      this.#state = continuity;
      return;
    }
    if (continuity.kind === 'broken') {
      const { reason, isHeld } = continuity;
      const isMeant = this.#isWanted || !isHeld || meant.has(reason) || reason.startsWith(contradicted);
      return isMeant ? this.#renew(reason) : this.#refuse(reason);
    }
    if (continuity.kind === 'same') return;
    if (this.#state.kind === 'proven') this.#state = { kind: 'unproven', reason: comparing };
    const startedMs = timer.monotonicMs();
    const { evidence } = this.#options;
    await evidence.prepare();
    if (continuity.isPromoted && !(await evidence.isAlone(aloneMs))) {
      // What was heard are this database's own beats where another process has proven it meanwhile.
      if ((await past.continuity()).kind !== 'unproven') return;
      return this.#refuse('somebody else published in our name while this server was being promoted');
    }
    const verdict = await evidence.compare();
    if (verdict.kind !== 'continues') {
      // Another process may have proven the server meanwhile, and what it has written since is not somebody else's.
      if ((await past.continuity()).kind !== 'unproven') return;
      return verdict.kind === 'broken' ? this.#contradict(verdict) : this.#goOnAsAnother(verdict.reason);
    }
    await past.prove(continuity.lineage);
    onProven();
    const durationMs = Math.round(timer.monotonicMs() - startedMs);
    const { readRecords } = verdict;
    logger.info({ durationMs, readRecords }, 'the server that was started anew continues the own log');
  }

  /**
   * What only the log says is kept before anything else is done: until the claim is won this process may end, and the log
   * may lose the very records that say so; the next comparison would find nothing wrong (0053).
   */
  async #contradict({ reason: found, isOnlyLogged }: Extract<Verdict, { kind: 'broken' }>): Promise<void> {
    if (isOnlyLogged !== true) return this.#renew(found);
    const reason = contradicted + found;
    await this.#options.past.hold(reason);
    await this.#renew(reason);
  }

  async #renew(reason: string): Promise<void> {
    const { logger, onRefused } = this.#options;
    if (this.#state.kind !== 'renewing') {
      logger.error(
        { reason },
        'this database does not continue the past of its region; it takes a new incarnation',
      );
      onRefused(reason);
    }
    await this.#claim(reason);
  }

  /** Most often it has lost nothing. What it writes under another name can never be taken for what it may have lost. */
  async #goOnAsAnother(reason: string): Promise<void> {
    if (this.#state.kind !== 'renewing')
      this.#options.logger.warn(
        { reason },
        'nobody can say what this database may lack; it takes a new incarnation',
      );
    await this.#claim(reason);
  }

  /** Ends with the claim won and the database adopted, or leaves everything to the next look. */
  async #claim(reason: string): Promise<void> {
    const { evidence, past, timer, logger } = this.#options;
    this.#state = { kind: 'renewing', reason };
    await evidence.prepare();
    const isAlone = () => evidence.isAlone(aloneMs);
    const confirm = this.#confirm;
    const outcome = await renewIncarnation({ ...this.#options, confirm, isAlone, signal: this.#end.signal });
    if (outcome.kind === 'lost' || (outcome.kind === 'given-up' && outcome.isAlive)) {
      // Another process of this database may have been quicker, and who was heard is the life that it has taken (0021).
      const continuity = await past.continuity();
      if (continuity.kind === 'renewed') {
        this.#state = continuity;
        return;
      }
      this.#isWanted = false;
      return this.#refuse(outcome.reason);
    }
    if (outcome.kind === 'given-up') {
      logger.warn({ reason: outcome.reason }, 'no new incarnation was taken yet');
      this.#quietUntilMs = timer.monotonicMs() + 10 * lookIntervalMs;
      return;
    }
    const { counter } = outcome.claim;
    this.#state = { kind: 'renewed', reason: `the database has become incarnation ${counter}` };
    logger.warn({ incarnation: counter, reason }, 'the region goes on under a new incarnation');
  }

  #refuse(reason: string): void {
    const { timer, logger, onRefused } = this.#options;
    this.#quietUntilMs = timer.monotonicMs() + refusedIntervalMs;
    if (this.#state.kind === 'refused' && this.#state.reason === reason) return;
    this.#state = { kind: 'refused', reason };
    logger.error({ reason }, 'this database does not continue the past of its region; writes are refused');
    onRefused(reason);
  }

  /**
   * What goes on under a newer incarnation may be this very database, which another process has renewed. Tried until the
   * database answers: who holds or renews it cuts its connections, and what was heard in that moment is not forgotten.
   */
  async #hold(reason: string): Promise<void> {
    const { past, timer, logger } = this.#options;
    const { signal } = this.#end;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const continuity = await past.continuity();
        if (continuity.kind === 'renewed') {
          this.#state = continuity;
          return;
        }
        await past.hold(reason);
        return this.#refuse(reason);
      } catch (error) {
        if (!(error instanceof ReplicationError)) throw error;
        logger.warn({ err: error, reason }, 'the region is held as soon as its database answers');
        await pause(timer, backoffMs(attempt), signal);
      }
    }
  }
}

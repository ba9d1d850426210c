/**
 * Sweeps every peer again and again at a low rate, one at a time, and at once where somebody asks (P6). What a sweep
 * proves is stored; what it finds diverged is said loudly and then fetched by a transfer, after which only a clean sweep
 * takes the word back. A sweep that cannot be finished proves nothing and changes nothing.
 */
import { backoffMs } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { TransferJobs } from '../ports/transfer-jobs.ts';
import type { VerificationStore } from '../ports/verification.ts';
import { Ticker } from '../ticker.ts';
import { Sweep, type SweepOptions } from './sweep.ts';

export interface SweeperOptions extends Omit<SweepOptions, 'peer' | 'signal'> {
  readonly peers: readonly RegionId[];
  readonly verifications: VerificationStore;
  /** Regions that nobody compares with any more. */
  readonly closed: () => readonly RegionId[];
  readonly jobs: Pick<TransferJobs, 'want'>;
  readonly logger: Logger;
}

const lookMs = 1000;
/** From the end of one sweep of a peer to the next. */
const betweenMs = 60_000;
/** After the start: what a restart interrupted is in order again by then. */
const firstMs = 20_000;

/** For the transfer that mends a divergence. */
const mendMs = 5000;

interface Schedule {
  readonly dueMs: number;
  readonly failures: number;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #end = new AbortController();
  readonly #schedules = new Map<RegionId, Schedule>();
  readonly #ticker: Ticker;

  constructor(options: SweeperOptions) {
    const { timer, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      () => this.#turn(),
      (err) => logger.debug({ err }, 'sweeps wait'),
    );
    this.#ticker = new Ticker({ timer, intervalMs: lookMs, run });
  }

  start(): void {
    const { peers, timer } = this.#options;
    const dueMs = timer.monotonicMs() + firstMs;
    for (const peer of peers) this.#schedules.set(peer, { dueMs, failures: 0 });
    this.#ticker.start();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#ticker.stop();
  }

  async #turn(): Promise<void> {
    const { peers, verifications, timer } = this.#options;
    const known = await verifications.all();
    const closed = this.#options.closed();
    for (const peer of peers.filter((each) => !closed.includes(each))) {
      if (this.#end.signal.aborted) return;
      const isWanted = known.find((candidate) => candidate.peer === peer)?.isWanted === true;
      const { dueMs, failures } = this.#schedules.get(peer) ?? { dueMs: 0, failures: 0 };
      const isDue = dueMs <= timer.monotonicMs();
      if (isDue || (isWanted && failures === 0)) await this.#sweep(peer, failures);
    }
  }

  async #sweep(peer: RegionId, failures: number): Promise<void> {
    const { verifications, timer, logger } = this.#options;
    try {
      const result = await new Sweep({ ...this.#options, peer, signal: this.#end.signal }).run();
      await verifications.began(peer);
      await verifications.ended(peer, result);
      this.#schedules.set(peer, { dueMs: timer.monotonicMs() + betweenMs, failures: 0 });
      logger.debug({ peer, ...result }, 'sweep is complete');
      if (result.diverged > 0) await this.#diverged(peer, result.diverged);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      const dueMs = timer.monotonicMs() + backoffMs(failures) * 10;
      this.#schedules.set(peer, { dueMs, failures: failures + 1 });
      logger.info({ err: reason, peer }, 'a sweep could not be finished');
    }
  }

  async #diverged(peer: RegionId, records: number): Promise<void> {
    this.#options.logger.error(
      { peer, records },
      'diverged: live data differs though both sides are caught up',
    );
    await this.#options.jobs.want({ donor: peer, origin: peer, cause: 'sweep', isDryRun: false });
    this.#schedules.set(peer, { dueMs: this.#options.timer.monotonicMs() + mendMs, failures: 0 });
  }
}

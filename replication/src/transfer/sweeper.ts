/**
 * Sweeps every peer again and again at a low rate, one at a time, and at once where somebody asks (P6). What a sweep
 * proves is stored; what it finds diverged is said loudly and then fetched by a transfer, after which only a clean sweep
 * takes the word back. A peer that holds more of a life that is over is fetched from first, because nothing else brings
 * that and no sweep comes to its end before. A sweep that cannot be finished proves nothing; one that is wanted
 * while another is under way begins after that.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import { backoffMs } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import { offerOf } from '../peer-offer.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { TransferJobs } from '../ports/transfer-jobs.ts';
import type { VerificationStore } from '../ports/verification.ts';
import { missedOf } from './ended-lives.ts';
import { Sweep, type SweepFinding, type SweepOptions } from './sweep.ts';

export interface SweeperOptions extends Omit<SweepOptions, 'peer' | 'signal'> {
  readonly peers: readonly RegionId[];
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly verifications: Pick<VerificationStore, 'began' | 'ended'>;
  /** Regions that nobody compares with any more. */
  readonly closed: () => readonly RegionId[];
  readonly jobs: Pick<TransferJobs, 'want'>;
  /** Earlier lives of this region are still read out of its own log. */
  readonly isRelearning: () => boolean;
  readonly logger: Logger;
}

const lookMs = 1000;
/** From the end of one sweep of a peer to the next. */
const betweenMs = 60_000;
/** After the start: what a restart interrupted is in order again by then. */
const firstMs = 20_000;

/** For the transfer that mends what was found. */
const mendMs = 5000;

interface Schedule {
  readonly dueMs: number;
  readonly failures: number;
}

export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #end = new AbortController();
  readonly #schedules = new Map<RegionId, Schedule>();
  readonly #turns: AgendaTurns;

  constructor(options: SweeperOptions) {
    const { agenda, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      (read: Agenda) => this.#turn(read),
      (err) => logger.debug({ err }, 'sweeps wait'),
    );
    this.#turns = agenda.turns({ intervalMs: lookMs, run });
  }

  start(): void {
    const { peers, timer } = this.#options;
    const dueMs = timer.monotonicMs() + firstMs;
    for (const peer of peers) this.#schedules.set(peer, { dueMs, failures: 0 });
    this.#turns.start();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#turns.stop();
  }

  async #turn({ verifications: known }: Agenda): Promise<void> {
    const { peers, timer } = this.#options;
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
    const { verifications } = this.#options;
    try {
      if (await this.#isBehind(peer)) return;
      const sweep = await verifications.began(peer);
      const finding = await new Sweep({ ...this.#options, peer, signal: this.#end.signal }).run();
      if (finding.unproven === null) this.#restAfter(peer, finding);
      else this.#again(peer, failures, { reason: finding.unproven });
      if (finding.unproven === null || finding.diverged > 0)
        await verifications.ended(peer, { ...finding, sweep });
      if (finding.diverged > 0) await this.#diverged(peer, finding);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      this.#again(peer, failures, { err: reason });
    }
  }

  #restAfter(peer: RegionId, { startedAtMs, diverged, unreadable }: SweepFinding): void {
    const { timer, logger } = this.#options;
    this.#schedules.set(peer, { dueMs: timer.monotonicMs() + betweenMs, failures: 0 });
    logger.debug({ peer, startedAtMs, diverged, unreadable }, 'sweep is complete');
  }

  #again(peer: RegionId, failures: number, why: { readonly err: Error } | { readonly reason: string }): void {
    const { timer, logger } = this.#options;
    const dueMs = timer.monotonicMs() + backoffMs(failures) * 10;
    this.#schedules.set(peer, { dueMs, failures: failures + 1 });
    logger.info({ ...why, peer }, 'a sweep could not be finished');
  }

  /** Of lives that are over, which nobody publishes any more. */
  async #isBehind(peer: RegionId): Promise<boolean> {
    const { self, donor, store, jobs, isRelearning, logger } = this.#options;
    if (isRelearning()) return false;
    const { offer } = await offerOf(donor, peer, this.#end.signal);
    if (offer === null) return false;
    const standing = await store.standing();
    const retired = this.#options.closed();
    const missed = missedOf({ self, standing, offer }).find(({ region }) => !retired.includes(region));
    if (missed === undefined) return false;
    const { region: origin, before } = missed;
    logger.warn({ peer, origin, before }, 'a peer holds more of lives that are over');
    await jobs.want({ donor: peer, origin, cause: 'tail', isDryRun: false });
    this.#schedules.set(peer, { dueMs: this.#options.timer.monotonicMs() + mendMs, failures: 0 });
    return true;
  }

  async #diverged(peer: RegionId, finding: SweepFinding): Promise<void> {
    const { diverged: records, unreadable, mendable, named, unproven } = finding;
    const { logger } = this.#options;
    // Without their names nobody could look at them.
    if (unreadable > 0) logger.error({ peer, records: unreadable, named }, 'records cannot be read');
    if (records > unreadable)
      logger.error(
        { peer, records: records - unreadable },
        'diverged: live data differs though both sides are caught up',
      );
    if (mendable === 0) return;
    await this.#options.jobs.want({ donor: peer, origin: peer, cause: 'sweep', isDryRun: false });
    if (unproven !== null) return;
    this.#schedules.set(peer, { dueMs: this.#options.timer.monotonicMs() + mendMs, failures: 0 });
  }
}

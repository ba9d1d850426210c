/**
 * The desk where transfers are asked for and run (P6): one from each donor at a time, and a few donors side by side, so
 * that one that hangs holds up nobody else's. It looks again and again at what is missing instead of being told once, so
 * nothing that is missing is forgotten: partitions that stand before a gap, what a region holds of lives before the one
 * that it is known under (0070), silent origins of which a peer holds more, dead letters that an operator has given up,
 * jobs that somebody asked for or that an earlier process left. A job that comes to nothing waits longer each time and
 * lets the others go first; it is never dropped.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { HeardBeat } from '../ports/beat-store.ts';
import type { DeadLetterStore } from '../ports/dead-letter-store.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { TransferCause, TransferJob, TransferJobs, TransferWish } from '../ports/transfer-jobs.ts';
import { Receiver, type Received, type ReceiverOptions } from './receiver.ts';
import { silentPeers, tailsOf } from './tail-watch.ts';
import type { ToldVectors } from './told-vectors.ts';

export interface Need {
  readonly origin: RegionId;
  readonly cause: TransferCause;
}

export interface TransfersOptions extends Omit<ReceiverOptions, 'signal' | 'jobs'> {
  readonly peers: readonly RegionId[];
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly jobs: TransferJobs;
  /** The newest beat of each origin that has arrived. */
  readonly heard: () => readonly HeardBeat[];
  readonly letters: Pick<DeadLetterStore, 'fates'>;
  readonly told: ToldVectors;
  /** Regions that were closed: nothing comes from them any more. */
  readonly closed: () => readonly RegionId[];
  /** Of these, all that is kept has settled here. */
  readonly retired: () => readonly RegionId[];
  /** Whom alone an emptied database is filled from; `null`: anybody; `unknown`: nothing is read yet. */
  readonly onlyFrom: () => RegionId | 'unknown' | null;
  /** Origins of which a partition stands before a gap now. */
  readonly gaps: () => readonly Need[];
  /** Positions may have been raised. */
  readonly onRaised: () => void;
  /** A transfer came to its end. */
  readonly onTransfer: (origin: RegionId, cause: TransferCause) => void;
  readonly logger: Logger;
}

const lookMs = 500;
/** Each takes a connection while it merges, and memory for an answer. */
const maxServed = 4;
/** Also the time that readers get to notice that they may go on. */
const firstRestMs = 2000;
const longestRestMs = 60_000;

interface Rest {
  readonly count: number;
  readonly untilMs: number;
}

export class Transfers {
  readonly #options: TransfersOptions;
  readonly #end = new AbortController();
  readonly #rests = new Map<RegionId, Rest>();
  /** By donor, beside the turns, which alone begin them. */
  readonly #serving = new Map<RegionId, Promise<void>>();
  #sinceMs: number | null = null;
  #mayBeAhead = true;
  readonly #turns: AgendaTurns;

  constructor(options: TransfersOptions) {
    const { agenda, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      (read: Agenda) => this.#turn(read),
      (err) => logger.warn({ err }, 'transfers wait'),
    );
    this.#turns = agenda.turns({ intervalMs: lookMs, run });
  }

  start(): void {
    this.#turns.start();
  }

  /** What is under way is left where it stands. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#turns.stop();
    await Promise.all(this.#serving.values());
  }

  async #turn(agenda: Agenda): Promise<void> {
    const only = this.#options.onlyFrom();
    if (only === null) return this.#serveAll(agenda);
    if (only === 'unknown') return;
    for (const job of agenda.jobs) if (job.donor === only && this.#isDue(only)) this.#begin(job);
  }

  async #serveAll({ jobs: open, letters, awaited }: Agenda): Promise<void> {
    const { jobs, peers } = this.#options;
    const asked = letters.hasFates ? this.#repairs() : [];
    const [tails, repairs] = await Promise.all([this.#tails(awaited), asked]);
    const pasts = awaited
      .filter((origin) => peers.includes(origin))
      .map((origin) => ({ origin, cause: 'other-incarnation' as const }));
    const wishes = [...this.#fromOrigins([...pasts, ...this.#options.gaps()]), ...tails, ...repairs];
    const isOpen = (donor: RegionId) => open.some((job) => job.donor === donor && !job.isDryRun);
    const fresh = wishes.filter(({ donor }) => !isOpen(donor) && this.#isDue(donor));
    for (const wish of fresh) await jobs.want(wish);
    const due = fresh.length === 0 ? open : await jobs.open();
    this.#forgetRests(due);
    for (const job of due) {
      if (this.#end.signal.aborted) return;
      if (this.#serving.has(job.donor)) continue;
      if (this.#options.closed().includes(job.donor)) await this.#refuse(job);
      else if (this.#isDue(job.donor) && (await this.#hasRoom())) this.#begin(job);
    }
    if (this.#mayBeAhead && this.#serving.size === 0)
      this.#mayBeAhead = await this.#options.store.forgetCovered(this.#options.retired());
  }

  #fromOrigins(needs: readonly Need[]): readonly TransferWish[] {
    const closed = this.#options.closed();
    const open = needs.filter(({ origin }) => !closed.includes(origin));
    return open.map((need) => ({ ...need, donor: need.origin, isDryRun: false }));
  }

  /** Whoever has settled what a letter holds has its record: the origin, or any peer where that is gone or is this region. */
  async #repairs(): Promise<readonly TransferWish[]> {
    const { letters, peers, closed } = this.#options;
    const donors = peers.filter((peer) => !closed().includes(peer));
    const waiting = (await letters.fates()).filter(({ fate }) => fate === 'waiting');
    return waiting.flatMap(({ origin }) => {
      const holders = donors.includes(origin) ? [origin] : donors;
      return holders.map((donor) => ({ donor, origin, cause: 'repair' as const, isDryRun: false }));
    });
  }

  async #tails(awaited: readonly RegionId[]): Promise<readonly TransferWish[]> {
    const { peers, told, clock, store } = this.#options;
    const nowMs = clock.nowMs();
    this.#sinceMs ??= nowMs;
    const closed = this.#options.closed();
    const view = { peers, heard: this.#options.heard(), closed, sinceMs: this.#sinceMs, nowMs };
    if (silentPeers(view).length === 0) return [];
    const { settled } = await store.standing();
    return tailsOf({ ...view, awaited, told: told.all() }, settled);
  }

  /**
   * Where nothing was ever raised they run one after the other: what one has merged by then would look to the next like
   * records of a region that was away for too long (P8).
   */
  async #hasRoom(): Promise<boolean> {
    if (this.#serving.size === 0) return true;
    if (this.#serving.size >= maxServed) return false;
    return (await this.#options.store.standing()).settled.length > 0;
  }

  #begin(job: TransferJob): void {
    if (this.#serving.has(job.donor)) return;
    const serve = orNextTurn(
      () => this.#serve(job),
      (err) => this.#options.logger.warn({ err, transfer: job.id }, 'a transfer waits'),
    );
    this.#serving.set(
      job.donor,
      serve().finally(() => this.#serving.delete(job.donor)),
    );
  }

  async #serve(job: TransferJob): Promise<void> {
    const { jobs, logger } = this.#options;
    const { id, donor, origin, cause, isDryRun } = job;
    const where = { transfer: id, donor, origin, cause, isDryRun };
    await jobs.start(id);
    logger.info(where, job.state === 'running' ? 'transfer goes on' : 'transfer begins');
    this.#mayBeAhead = true;
    const received = await new Receiver(job, { ...this.#options, signal: this.#end.signal }).run();
    const { outcome } = received;
    this.#tire(donor);
    if (outcome.kind === 'postponed') {
      logger.warn({ ...where, detail: outcome.detail }, 'transfer waits');
      return jobs.postpone(id, outcome.detail);
    }
    const detail = outcome.kind === 'failed' ? outcome.detail : '';
    await jobs.end(id, { state: outcome.kind, detail });
    if (outcome.kind === 'failed') logger.error({ ...where, detail }, 'transfer failed');
    else this.#ended(job, received);
  }

  /** What a region holds beyond what the survivors agreed on is nobody's. */
  async #refuse({ id, donor }: TransferJob): Promise<void> {
    await this.#options.jobs.end(id, { state: 'failed', detail: `${donor} was retired` });
  }

  #ended({ id, donor, origin, cause, isDryRun }: TransferJob, { isSlotLost, refused }: Received): void {
    const { logger, onRaised, onTransfer } = this.#options;
    logger.info({ transfer: id, donor, origin, cause, isDryRun, isSlotLost }, 'transfer is complete');
    if (isDryRun) return;
    if (refused > 0)
      logger.warn(
        { transfer: id, donor, count: refused },
        'records of the donor are put aside; they hold back what is settled',
      );
    onRaised();
    onTransfer(origin, cause === 'gap' && isSlotLost ? 'slot-lost' : cause);
  }

  #isDue(donor: RegionId): boolean {
    const rest = this.#rests.get(donor);
    return rest === undefined || rest.untilMs <= this.#options.timer.monotonicMs();
  }

  /** The same donor rests longer each time, until nothing is wanted of it any more. */
  #tire(donor: RegionId): void {
    const count = this.#rests.get(donor)?.count ?? 0;
    const restMs = Math.min(longestRestMs, firstRestMs * 2 ** Math.min(count, 10));
    this.#rests.set(donor, { count: count + 1, untilMs: this.#options.timer.monotonicMs() + restMs });
  }

  #forgetRests(open: readonly TransferJob[]): void {
    for (const [donor, { untilMs }] of this.#rests) {
      const isOver = untilMs <= this.#options.timer.monotonicMs();
      if (isOver && !open.some((job) => job.donor === donor)) this.#rests.delete(donor);
    }
  }
}

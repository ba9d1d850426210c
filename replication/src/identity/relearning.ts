/**
 * Learns the past of the region again after it has taken a new incarnation (P9): the own log is read as if earlier lives
 * were another region's, transfers from peers bring what the log does not hold, and writes wait until
 * `relearning-judge.ts` says that all is there. Before it lets them go it reads the claims once more: a higher one means
 * that the region lives elsewhere by now, and this database stops for good. A database that was emptied is filled from one
 * peer first, before anything of any log is read: what was deleted and collected there would come back out of a log (I6).
 * Where nothing is to be learnt it does nothing; what it has done it does again after a restart, which is harmless.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { encodeClaim } from '../log/claim-record.ts';
import type { ChangeFeed } from '../ports/change-feed.ts';
import type { ControlLog } from '../ports/control-log.ts';
import { sameIncarnation, type RegionId } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { IncarnationStore, OwnPast, Relearning } from '../ports/incarnation-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { OwnLog } from '../ports/own-log.ts';
import type { PositionRow } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { TransferJob, TransferJobs } from '../ports/transfer-jobs.ts';
import type { TransferPeer } from '../ports/transfer-peer.ts';
import type { TransferStore } from '../ports/transfer-store.ts';
import { othersIn, ownEntries } from '../reach.ts';
import { greatestOf, placeOf } from '../vector.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { type HeldFrom, PastFeed, surelyHeld } from './past-feed.ts';
import { PastSurvey } from './past-survey.ts';
import { describeRelearning, judgeRelearning, type RelearningJudgement, show } from './relearning-judge.ts';
import { readClaims } from './renewal.ts';
import { rulingClaim } from './renewal-machine.ts';

/** What of the region's identity its replicating process works on. */
export interface IncarnationParts {
  readonly store: IncarnationStore;
  readonly past: Pick<IdentityStore, 'hold'>;
  /** `null` where it lies in the database itself, and has gone back in time with it. */
  readonly ownLog: OwnLog | null;
  readonly control: ControlLog;
}

/** Applies what it reads of the own log as if it were another region's. */
export interface PastReader {
  /** A partition stands before a part of the past that the log does not hold. */
  readonly hasGap: boolean;
  /** Positions may have been raised. */
  recheck(): void;
  close(): Promise<void>;
}

export interface RelearnerOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly peers: readonly RegionId[];
  /** Of these, who is gone for good. */
  readonly closed: () => readonly RegionId[];
  /** Of these, all that is kept has settled here. */
  readonly retired: () => readonly RegionId[];
  readonly parts: IncarnationParts;
  /** Makes the topics of the own log that are absent. */
  readonly prepareLog: () => Promise<void>;
  /** Begins to read the past out of this feed. */
  readonly read: (feed: Pick<ChangeFeed, 'subscribe'>) => PastReader;
  /** Does nothing where there is one. */
  readonly openPosition: (row: PositionRow) => Promise<void>;
  readonly transfers: Pick<TransferStore, 'standing'>;
  readonly donors: TransferPeer;
  readonly jobs: Pick<TransferJobs, 'want' | 'open' | 'recent'>;
  /** The database may be read into from now on; told once. */
  readonly onFilled: () => void;
  /** Local writes go on while the rest is learnt. */
  readonly onOpen: () => void;
  /** Nothing is left to be learnt, from the start or by now. */
  readonly onLearnt: () => void;
  readonly timer: Timer;
  readonly logger: Logger;
}

const lookMs = 200;
/** An offer costs the peer a snapshot. */
const askIntervalMs = 1000;

interface Reading {
  readonly feed: PastFeed;
  readonly reader: PastReader;
}

export class Relearner {
  readonly #options: RelearnerOptions;
  readonly #end = new AbortController();
  readonly #survey: PastSurvey;
  #reading: Reading | null = null;
  #judgement: RelearningJudgement | null = null;
  #running: Promise<void> | null = null;
  #isFilled = false;
  /** What is held has its positions, and the log is read where there is one. */
  #hasBegun = false;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: RelearnerOptions) {
    this.#options = options;
    this.#survey = new PastSurvey({ ...options, signal: this.#end.signal });
  }

  /** What writes wait for; `null`: nothing that this process knows of. */
  get judgement(): RelearningJudgement | null {
    return this.#judgement;
  }

  /** Whom alone transfers may read from now; `null`: anybody; `unknown` until the database was asked. */
  get donor(): RegionId | 'unknown' | null {
    if (this.#isFilled) return null;
    return this.#judgement?.kind === 'filling' ? this.#judgement.donor : 'unknown';
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** Positions may have been raised. */
  recheck(): void {
    this.#reading?.reader.recheck();
  }

  async #run(): Promise<void> {
    const { timer, logger } = this.#options;
    for (let failures = 0; !this.#end.signal.aborted; ) {
      try {
        if (await this.#turn()) break;
        failures = 0;
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        logger.warn({ err: reason }, 'learning the past again waits');
        failures++;
      }
      await pause(timer, Math.max(lookMs, failures === 0 ? 0 : backoffMs(failures)), this.#end.signal);
    }
    await this.#reading?.reader.close();
    this.#reading = null;
    if (!this.#end.signal.aborted) this.#options.onLearnt();
  }

  /** True where nothing is left to be done. */
  async #turn(): Promise<boolean> {
    const { parts, onOpen, logger } = this.#options;
    const relearning = await parts.store.relearning();
    if (relearning === null) {
      this.#judgement = null;
      this.#filled();
      return true;
    }
    if (relearning.fill === null) {
      this.#filled();
      if (!this.#hasBegun) this.#reading = await this.#read(relearning);
      this.#hasBegun = true;
    }
    const judgement = await this.#judge(relearning);
    if (judgement.kind !== this.#judgement?.kind)
      logger.info({ waitsFor: describeRelearning(judgement) }, 'the past of the region is learnt again');
    this.#judgement = judgement;
    if (judgement.kind === 'filling') await this.#fill(judgement.donor, relearning);
    if (judgement.kind === 'asking') await this.#askAll(judgement.peers);
    if (relearning.isOpen) onOpen();
    if (judgement.kind === 'fetching') await this.#fetchPast(judgement.peers, relearning);
    if (judgement.kind === 'learnt') await this.#finish(judgement, relearning);
    return false;
  }

  /**
   * Where the log lies in the database, only peers can bring what is missing, and nothing that is written under the new
   * name is in the way of that. So writes wait for peers that are there, and not for those that are not (I8). Who can take
   * nothing from a peer because it shows what was deleted and collected there writes no more on top of that (I6).
   */
  async #openOrClose(peers: readonly RegionId[], relearning: Relearning): Promise<void> {
    const { parts, jobs, logger } = this.#options;
    if (parts.ownLog !== null) return;
    const isRefused = (await jobs.recent()).some(
      (job) => job.state === 'failed' && peers.includes(job.donor) && isOfLife(job, relearning),
    );
    if (isRefused && relearning.isOpen) {
      await parts.store.setOpen(false);
      logger.error({ peers }, 'the region has to be filled anew; it takes no writes until then');
    }
    if (isRefused || relearning.isOpen || !(await this.#askNowAndThen(peers))) return;
    if (this.#end.signal.aborted || !this.#survey.isSilent) return;
    await parts.store.setOpen(true);
    logger.warn({ peers }, 'these peers do not answer; the region takes writes and learns the rest later');
  }

  async #fetchPast(peers: readonly RegionId[], relearning: Relearning): Promise<void> {
    this.#survey.startPatienceAnew();
    await this.#fetch(peers, 'own-past');
    await this.#openOrClose(peers, relearning);
    // Who was set back meanwhile does not hold any more what it said.
    await this.#askNowAndThen(peers.filter((peer) => this.#survey.others.has(peer)));
  }

  /** Often for a while, and then now and then. */
  async #askAll(peers: readonly RegionId[]): Promise<void> {
    if (this.#survey.isPatienceOver) await this.#askNowAndThen(peers);
    else await this.#survey.askPatiently(peers);
  }

  async #askNowAndThen(peers: readonly RegionId[]): Promise<boolean> {
    const { timer } = this.#options;
    if (peers.length === 0 || timer.monotonicMs() - this.#askedAtMs < askIntervalMs) return false;
    this.#askedAtMs = timer.monotonicMs();
    await this.#survey.ask(peers);
    return true;
  }

  #filled(): void {
    if (this.#isFilled) return;
    this.#isFilled = true;
    this.#options.onFilled();
  }

  async #fill(donor: RegionId, relearning: Relearning): Promise<void> {
    const { parts, jobs, logger } = this.#options;
    const isDone = (await jobs.recent()).some((job) => job.donor === donor && isFetched(job, relearning));
    if (!isDone) return this.#fetch([donor], 'refill');
    await parts.store.filled();
    logger.info({ donor }, 'the database is filled again');
  }

  async #read({ pasts }: Relearning): Promise<Reading | null> {
    const { self, parts, read, transfers } = this.#options;
    const { region, incarnation } = self;
    const { horizon } = await transfers.standing();
    if (parts.ownLog === null) {
      await this.#open(pasts, { pasts, horizon });
      return null;
    }
    const feed = new PastFeed({ region, incarnation, pasts, horizon, log: parts.ownLog });
    await this.#open(pasts.slice(0, 1), { pasts, horizon });
    return { feed, reader: read(feed) };
  }

  /**
   * Whoever holds a part of a life says so by its positions, else peers that have collected on the word of that life take
   * it for one that was away too long, and a log that has lost everything opens none (P6). Reading begins with the oldest,
   * and opens the others where it comes to their starts.
   */
  async #open(lives: readonly OwnPast[], known: HeldFrom): Promise<void> {
    const { self, openPosition } = this.#options;
    for (const { incarnation } of lives) {
      for (let partition = 0; partition < self.partitionCount; partition++) {
        const held = surelyHeld(known, { region: self.region, incarnation, partition });
        if (held === 0n) continue;
        const from = { origin: self.region, incarnation, partition, beat: null, nextOffset: 0n };
        await openPosition({ ...from, applied: held, settled: held });
      }
    }
  }

  async #judge(relearning: Relearning): Promise<RelearningJudgement> {
    const { self, peers, closed, retired, transfers, jobs } = this.#options;
    const { applied, settled, beats } = await transfers.standing();
    // Newest first, so the last one of a donor is the first that is met.
    const newest = new Map<RegionId, TransferJob>();
    const failed = new Map<RegionId, boolean>();
    for (const job of await jobs.recent()) {
      if (!isOfLife(job, relearning)) continue;
      if (isFetched(job, relearning) && !newest.has(job.donor)) newest.set(job.donor, job);
      if (job.endedAtMs !== null && !failed.has(job.donor)) failed.set(job.donor, job.state === 'failed');
    }
    const refused = [...newest.values()].filter(({ place }) => place.counts.refused > 0);
    return judgeRelearning({
      region: self.region,
      partitionCount: self.partitionCount,
      peers,
      closed: closed(),
      retired: retired(),
      relearning,
      log: this.#logView(),
      applied,
      settled,
      beats,
      fetched: new Set(newest.keys()),
      refused: new Set(refused.map(({ donor }) => donor)),
      failed: new Set([...failed].filter(([, isFailed]) => isFailed).map(([donor]) => donor)),
      held: this.#survey.held,
      others: this.#survey.others,
      isPatienceOver: this.#survey.isPatienceOver,
    });
  }

  #logView() {
    if (this.#reading === null) return null;
    const { feed, reader } = this.#reading;
    return { through: feed.through, ends: feed.ends, hasGap: reader.hasGap };
  }

  async #fetch(peers: readonly RegionId[], cause: 'own-past' | 'refill'): Promise<void> {
    const { self, jobs } = this.#options;
    const open = new Set((await jobs.open()).filter(({ isDryRun }) => !isDryRun).map(({ donor }) => donor));
    for (const donor of peers) {
      if (!open.has(donor)) await jobs.want({ donor, origin: self.region, cause, isDryRun: false });
    }
  }

  async #finish(
    { lost, isWhole }: Extract<RelearningJudgement, { kind: 'learnt' }>,
    { pasts }: Relearning,
  ): Promise<void> {
    const { self, parts, logger } = this.#options;
    if (!(await this.#isRuling())) return;
    await this.#closePasts(pasts);
    if (lost.length > 0)
      logger.error({ lost: lost.map(show) }, 'no log and no peer holds this past; it is lost');
    const { region, incarnation } = self;
    await parts.store.relearnt(isWhole ? { region, before: incarnation.counter } : null);
    logger.info({ incarnation: incarnation.counter }, 'the past is learnt; the region takes writes');
  }

  /** Where their log ended, and further where a peer held more; where there is none, as far as they are held. */
  async #closePasts(pasts: readonly OwnPast[]): Promise<void> {
    const { self, parts, transfers } = this.#options;
    const { region, partitionCount } = self;
    const { applied } = await transfers.standing();
    const known = pasts.flatMap(({ incarnation }) => ownEntries({ region, incarnation, partitionCount }, 0n));
    const held = othersIn(applied, self).filter((entry) => entry.region === region);
    const ends = [...known, ...(this.#reading?.feed.ends ?? []), ...held];
    const closed = new Set((await parts.store.closed()).map(placeOf));
    for (const end of greatestOf([], ends)) if (!closed.has(placeOf(end))) await parts.store.close(end);
  }

  /** The log may have been out of reach when an operator made this incarnation: then it hears of it now. */
  async #isRuling(): Promise<boolean> {
    const { self, parts, prepareLog, logger } = this.#options;
    const { region, incarnation } = self;
    await prepareLog();
    const claims = await readClaims({ self, control: parts.control });
    const ruling = rulingClaim(claims);
    if (ruling !== null && sameIncarnation(ruling, incarnation)) return true;
    if (ruling === null || ruling.counter < incarnation.counter) {
      await parts.control.append(encodeClaim({ region, incarnation }));
      return false;
    }
    const reason = `another database of the region has taken incarnation ${ruling.counter}`;
    logger.error(
      { reason },
      'this incarnation is not the one that the region goes on under; writes are refused',
    );
    await parts.past.hold(reason);
    return false;
  }
}

/** All of the donor has come since the incarnation began. */
function isFetched(job: TransferJob, relearning: Relearning): boolean {
  return job.state === 'done' && isOfLife(job, relearning);
}

/** It was wanted for what the incarnation has to learn. By its number: a clock may have been set since (0066). */
function isOfLife({ id, cause, isDryRun }: TransferJob, { firstJob }: Relearning): boolean {
  return (cause === 'own-past' || cause === 'refill') && !isDryRun && id >= firstJob;
}

/**
 * Carries out an operator's wish that the region is filled anew (P6), as far as its next incarnation: local writes end,
 * everything that the region has is found at a peer or its loss was accepted by name, and only then a new incarnation is
 * asked for, whose first transaction empties the database. From there `relearning.ts` fills it. Where writes would be lost
 * the wish is refused with what they are, nothing was dropped, and the region is as it was. To take an incarnation lasts ten
 * seconds, or hours where a log does not answer, so peers are asked once more before it is claimed: whoever was set back
 * meanwhile does not hold any more what it held. Every step is found again in the
 * database, so whoever dies leaves the rest to the next process.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import { pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { Drained } from '../ports/drain-store.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Lsn } from '../ports/change.ts';
import type { Actor } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { Refill, RefillStore } from '../ports/refill-store.ts';
import type { Timer } from '../ports/timer.ts';
import { actorsIn, unprovable } from './judge-refill.ts';
import { type SurveyOptions, surveyPeers } from './survey.ts';

/** What takes local writes away. */
interface Drainer {
  /** Once a drain was noted: resolves when the connections that were open before are ended. */
  carryOut(): Promise<void>;
  /** Reads anew whether writes are taken. */
  look(): Promise<void>;
}

export interface RefillerOptions extends SurveyOptions {
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly refills: RefillStore;
  readonly draining: Drainer;
  readonly past: Pick<IdentityStore, 'continuity' | 'newestBeat' | 'beats'>;
  /** Asks for a new incarnation, on an operator's word. */
  readonly renew: () => Promise<void>;
  /** Whoever takes a new incarnation waits for this before it is claimed. */
  readonly confirmFirst: (confirm: () => Promise<void>) => void;
  /** A new incarnation is being taken, or was. */
  readonly isRenewing: () => boolean;
  /** A region that was retired is not filled under its name again. */
  readonly isRetired: () => boolean;
  readonly timer: Timer;
  readonly logger: Logger;
}

const intervalMs = 500;
/** For peers to take what is on its way, and to answer. */
const patienceMs = 20_000;
/** Somebody else may be alive in the region's name, and gone later. */
const askAgainMs = 15_000;

export class Refiller {
  readonly #options: RefillerOptions;
  readonly #turns: AgendaTurns;
  readonly #end = new AbortController();
  #securingSinceMs: number | null = null;
  /** Own writes all lie before this. */
  #through: Lsn | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** From which own writes had ended. */
  #drainedBeat: number | null = null;

  constructor(options: RefillerOptions) {
    this.#options = options;
    const { agenda, logger } = options;
    const onFailure = (err: unknown): void => logger.debug({ err }, 'filling the region anew waits');
    this.#turns = agenda.turns({ intervalMs, run: orNextTurn((read) => this.#turn(read), onFailure) });
  }

  start(): void {
    this.#options.confirmFirst(() => this.#confirm());
    this.#turns.start();
  }

  stop(): Promise<void> {
    this.#end.abort();
    return this.#turns.stop();
  }

  async #turn({ refill, drained }: Agenda): Promise<void> {
    this.#drainedBeat = drained?.beat ?? null;
    if (refill?.state !== 'securing') [this.#securingSinceMs, this.#through] = [null, null];
    if (refill?.state === 'securing') await this.#secure(refill, drained);
    if (refill?.state === 'renewing') await this.#renew();
  }

  async #secure(refill: Refill, drained: Drained | null): Promise<void> {
    const { refills, draining, timer, isRetired } = this.#options;
    if (isRetired()) return this.#refuse('the region was retired: its name is not used again');
    this.#securingSinceMs ??= timer.monotonicMs();
    if (drained === null) {
      // Another process may have refused the wish since it was read, and nobody would give the writes back after that.
      if (await refills.drain()) await draining.carryOut();
      return;
    }
    if (drained.beat !== null) this.#through ??= await this.#ownThrough(drained.beat);
    if (this.#through === null) return this.#wait('own writes are still under way');
    await this.#judge(refill, this.#through);
  }

  async #judge(refill: Refill, through: Lsn): Promise<void> {
    const { refills, logger } = this.#options;
    const { donor } = refill;
    const { lost, fault } = await this.#survey(refill, through);
    if (this.#end.signal.aborted) return;
    if (fault !== null) return this.#wait(fault);
    if (!(await refills.secured())) return;
    if (lost.length > 0)
      logger.error({ lost }, 'the region is filled anew; of these lives changes are lost, as was accepted');
    logger.warn({ donor }, 'the region is filled anew: it takes a new incarnation and drops its records');
  }

  /** `fault`: why nothing may be dropped; `lost`: of these lives changes go with what is dropped, as was accepted. */
  async #survey(
    { donor, accepted }: Refill,
    through: Lsn,
  ): Promise<{ readonly lost: readonly Actor[]; readonly fault: string | null }> {
    const { loss, asked } = await surveyPeers(this.#options, through, this.#end.signal);
    const lost = actorsIn(loss);
    const refusal = asked.find(({ peer }) => peer === donor)?.refusal;
    if (refusal !== null) return { lost, fault: `${donor}: ${refusal ?? 'is no peer'}` };
    const unaccepted = lost.filter((actor) => !accepted.includes(actor));
    const fault = `no peer that answers has all changes of ${unaccepted.join(', ')}`;
    return { lost, fault: unaccepted.length > 0 ? fault : null };
  }

  /** What is half filled has nothing of its own to lose, and the store says so. */
  async #confirm(): Promise<void> {
    const { refills, draining, timer, logger } = this.#options;
    const { signal } = this.#end;
    for (const sinceMs = timer.monotonicMs(); !signal.aborted; ) {
      const refill = await refills.find();
      if (refill?.state !== 'renewing') return;
      const { fault } = await this.#survey(refill, await this.#drainedThrough());
      if (fault === null) return;
      if (timer.monotonicMs() - sinceMs > patienceMs) {
        if (!(await refills.withdraw(fault))) return;
        await draining.look();
        logger.error({ detail: fault }, 'the region is not filled anew, and nothing was dropped');
        return;
      }
      await pause(timer, intervalMs, signal);
    }
    throw new ReplicationError('closed', 'the process was closing', { retriable: true });
  }

  /** As `#ownThrough` found it before: no beat that came later is waited for. */
  async #drainedThrough(): Promise<Lsn> {
    const { past } = this.#options;
    const newest = (await past.newestBeat()).beat;
    if (newest === null) return 0n;
    const from = this.#drainedBeat ?? newest.number;
    const [named] = await past.beats(from, newest.number);
    return (named ?? newest).lsn;
  }

  /** Before which all own writes lie; `null`: not known yet. A database that takes no writes makes no beats either. */
  async #ownThrough(beat: number): Promise<Lsn | null> {
    const { past } = this.#options;
    const newest = (await past.newestBeat()).beat;
    if ((await past.continuity()).kind !== 'same') return newest === null ? 0n : unprovable;
    return newest === null || newest.number < beat ? null : newest.lsn;
  }

  async #wait(detail: string): Promise<void> {
    const { refills, timer } = this.#options;
    const sinceMs = this.#securingSinceMs ?? timer.monotonicMs();
    if (timer.monotonicMs() - sinceMs > patienceMs) return this.#refuse(detail);
    await refills.note(detail);
  }

  /** Another process may have judged otherwise meanwhile; what it said counts. */
  async #refuse(detail: string): Promise<void> {
    const { refills, draining, logger } = this.#options;
    if (!(await refills.refuse(detail))) return;
    await draining.look();
    logger.error({ detail }, 'the region is not filled anew, and nothing was dropped');
  }

  async #renew(): Promise<void> {
    const { renew, isRenewing, timer } = this.#options;
    if (isRenewing() || timer.monotonicMs() - this.#askedAtMs < askAgainMs) return;
    await renew();
    this.#askedAtMs = timer.monotonicMs();
  }
}

/**
 * Runs barriers one after the other and collects after each (P8): the shell around `barrier-machine.ts`. What it asks
 * and answers travels in the region's progress. It begins a barrier only where something is dead, goes on with one that
 * an earlier process left open by asking everybody anew, and says so loudly where one stays open, because then nothing
 * is collected.
 */
import { type BarrierWord, silence } from '../log/barrier-word.ts';
import type { ProgressMessage } from '../log/progress-record.ts';
import type { Clock } from '../ports/clock.ts';
import { actorOf, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { RecordStore } from '../ports/record-store.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Timer } from '../ports/timer.ts';
import type { TombstoneStore } from '../ports/tombstone-store.ts';
import type { Standing, TransferStore } from '../ports/transfer-store.ts';
import type { Vector } from '../ports/vector.ts';
import { boundBeside, type Self } from '../reach.ts';
import { beyond, outside } from '../vector.ts';
import { Ticker } from '../ticker.ts';
import { BarrierAnswers, isSettled } from './barrier-answers.ts';
import {
  askOf,
  type BarrierEffect,
  type BarrierInput,
  type BarrierState,
  effectOf,
  stepBarrier,
  waitingFor,
} from './barrier-machine.ts';
import type { Purge } from './collecting.ts';
import { type Collected, Collector } from './collector.ts';

export interface BarriersOptions {
  readonly self: Self;
  readonly store: TombstoneStore;
  readonly standing: Pick<TransferStore, 'standing'>;
  readonly records: Pick<RecordStore, 'commitLocal'>;
  readonly purge: Purge;
  /** Who has to be asked now. */
  readonly members: () => readonly RegionId[];
  readonly clock: Clock;
  readonly timer: Timer;
  readonly logger: Logger;
  readonly onCollected: (collected: Collected) => void;
}

/** How the open barrier stands, as this process knows it. */
export interface BarrierView {
  readonly phase: BarrierState['kind'];
  readonly waitingFor: readonly RegionId[];
}

const lookMs = 250;
/** From the end of one collection to the next barrier. */
const betweenMs = 5000;
/** Where nothing was dead it is looked this seldom whether something is. */
const deadLookMs = 1000;
/** A barrier that is open for longer is told of once. */
const longOpenMs = 60_000;

export class Barriers {
  readonly #options: BarriersOptions;
  readonly #answers: BarrierAnswers;
  readonly #collector: Collector;
  readonly #end = new AbortController();
  #state: BarrierState | null = null;
  #restedSinceMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #placedAtMs = Number.NEGATIVE_INFINITY;
  #openSinceMs: number | null = null;
  #isTold = false;
  readonly #ticker: Ticker;

  constructor(options: BarriersOptions) {
    const { self, timer, logger } = options;
    this.#options = options;
    this.#answers = new BarrierAnswers(self, options);
    const actor = actorOf(self.region, self.incarnation);
    this.#collector = new Collector({ ...options, actor, signal: this.#end.signal });
    const run = orNextTurn(
      () => this.#turn(),
      (err) => logger.debug({ err }, 'the barrier waits for the database'),
    );
    this.#ticker = new Ticker({ timer, intervalMs: lookMs, run });
  }

  /** `null` before the database was read. */
  get view(): BarrierView | null {
    const state = this.#state;
    return state === null ? null : { phase: state.kind, waitingFor: waitingFor(state) };
  }

  start(): void {
    this.#ticker.start();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#ticker.stop();
  }

  /** A member's progress. */
  hear({ region, incarnation, barriers }: ProgressMessage): void {
    this.#answers.note(region, incarnation, barriers.ask);
    const { self } = this.#options;
    const ours = barriers.answers.find(
      ({ asker, askerIncarnation }) =>
        asker === self.region && sameIncarnation(askerIncarnation, self.incarnation),
    );
    this.#take({ kind: 'heard', member: region, incarnation, answer: ours ?? null });
  }

  /** What to say in the own progress; rejects with what the database rejects with. */
  async word(): Promise<BarrierWord> {
    const answers = await this.#answers.all();
    const ask = this.#state === null ? null : askOf(this.#state);
    return ask === null && answers.length === 0 ? silence : { ask, answers };
  }

  async #turn(): Promise<void> {
    if (this.#state === null) await this.#recall();
    if (this.#state?.kind === 'resting') await this.#rest(this.#state.completed);
    this.#take({ kind: 'members', members: this.#options.members() });
    for (let before: BarrierState | null = null; this.#state !== null && this.#state !== before; ) {
      before = this.#state;
      const effect = effectOf(before);
      if (effect !== null) await this.#perform(effect);
      if (this.#end.signal.aborted) return;
      // Two processes that begin barriers anew in turn do so with rests, until one of them is told that it is not the one.
      if (effect?.kind === 'complete') break;
    }
    this.#watch();
  }

  /**
   * A barrier that is open is closed once more, which changes nothing, and then asked anew. Returns the number of the
   * newest one that is complete.
   */
  async #recall(): Promise<number> {
    const { completed, open } = await this.#options.store.barrier();
    this.#state = open === null ? { kind: 'resting', completed } : { kind: 'closing', number: open };
    return completed;
  }

  async #rest(completed: number): Promise<void> {
    const { store, timer } = this.#options;
    const nowMs = timer.monotonicMs();
    if (nowMs - this.#restedSinceMs < betweenMs || nowMs - this.#lookedAtMs < deadLookMs) return;
    this.#lookedAtMs = nowMs;
    if (!(await store.hasDead())) return;
    this.#options.logger.debug({ barrier: completed + 1 }, 'a barrier begins');
    this.#take({ kind: 'due' });
  }

  async #perform(effect: BarrierEffect): Promise<void> {
    const { store } = this.#options;
    switch (effect.kind) {
      case 'close':
        return this.#take({ kind: 'closed', mark: await store.close(effect.number) });
      case 'wait-for-end':
        if (await store.hasEnded(effect.mark)) this.#take({ kind: 'ended' });
        return;
      case 'place':
        return this.#place();
      case 'look-here': {
        const standing = await this.#options.standing.standing();
        if (isSettled(this.#options.self, standing, effect.vector)) this.#take({ kind: 'covered-here' });
        else if (this.#asksInVain(standing, effect.vector)) this.#take({ kind: 'in-vain' });
        return;
      }
      case 'complete':
        return this.#complete(effect);
    }
  }

  /** Of a past that is whole here somebody named more than is anywhere, and may not any more (P9). */
  #asksInVain({ applied, whole }: Standing, vector: Vector): boolean {
    if (this.#options.timer.monotonicMs() - this.#placedAtMs < betweenMs) return false;
    const more = beyond(vector, applied);
    return outside(more, whole).length < more.length;
  }

  async #place(): Promise<void> {
    const { self, store, standing, members, timer } = this.#options;
    this.#placedAtMs = timer.monotonicMs();
    const round = await store.beginRound();
    const here = await standing.standing();
    const position = boundBeside(self, here, here.whole);
    this.#take({ kind: 'placed', round, position, members: members() });
  }

  async #complete(barrier: Extract<BarrierEffect, { readonly kind: 'complete' }>): Promise<void> {
    const { store, timer, logger, onCollected } = this.#options;
    const { number } = barrier;
    if (await store.complete(barrier)) this.#take({ kind: 'completed' });
    // Another process has asked anew meanwhile: without a horizon of this barrier nothing may be dropped on its word.
    else if ((await this.#recall()) < number) return;
    this.#restedSinceMs = timer.monotonicMs();
    logger.info({ barrier: number }, 'a barrier is complete');
    if (number < 2) return;
    const collected = await this.#collector.run(number - 1);
    this.#restedSinceMs = timer.monotonicMs();
    onCollected(collected);
    if (collected.dropped + collected.purged > 0)
      logger.info({ barrier: number, ...collected }, 'tombstones were collected');
  }

  #take(input: BarrierInput): void {
    if (this.#state !== null) this.#state = stepBarrier(this.#state, input);
  }

  #watch(): void {
    const { timer, logger } = this.#options;
    const view = this.view;
    if (view === null || view.phase === 'resting') {
      [this.#openSinceMs, this.#isTold] = [null, false];
      return;
    }
    this.#openSinceMs ??= timer.monotonicMs();
    const openMs = timer.monotonicMs() - this.#openSinceMs;
    if (this.#isTold || openMs < longOpenMs) return;
    this.#isTold = true;
    logger.warn({ ...view, openMs }, 'a barrier stays open: no tombstone is collected');
  }
}

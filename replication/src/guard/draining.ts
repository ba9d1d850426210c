/**
 * Keeps callers away from a region whose local writes an operator has taken away, and carries the taking away out. Each
 * process looks again and again and refuses politely; what makes it sure is the end of every connection that was open
 * before, after a moment in which the processes have heard of it. From the beat that is named then on, nothing that was
 * acknowledged is on its way here any more. Reads and replication go on.
 */
import { pause } from '../backoff.ts';
import type { DrainStore } from '../ports/drain-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Timer } from '../ports/timer.ts';
import { Turns } from '../turns.ts';

export interface DrainingOptions {
  readonly store: DrainStore;
  readonly timer: Timer;
  readonly logger: Logger;
}

const intervalMs = 250;
/** For every process to have looked. */
const graceMs = 3 * intervalMs;

export class Draining {
  readonly #options: DrainingOptions;
  readonly #turns: Turns;
  readonly #end = new AbortController();
  #isDrained = false;

  constructor(options: DrainingOptions) {
    this.#options = options;
    const ifNot = 'whether this region is drained is looked at again';
    this.#turns = new Turns({ ...options, intervalMs, ifNot, turn: () => this.#look() });
  }

  /** As last read. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  start(): void {
    this.#turns.start();
  }

  stop(): Promise<void> {
    this.#end.abort();
    return this.#turns.stop();
  }

  look(): Promise<void> {
    return this.#turns.now();
  }

  /** Local writes end. */
  async drain(): Promise<void> {
    await this.#options.store.begin();
    await this.carryOut();
  }

  /** What has begun: the connections that were open before are ended, unless writes are taken again by then. */
  async carryOut(): Promise<void> {
    const { store, timer, logger } = this.#options;
    await this.#look();
    if (!(await pause(timer, graceMs, this.#end.signal))) return;
    await store.cut();
    logger.warn({}, 'the region is drained: it takes no writes');
  }

  /** Local writes are taken again, as far as this goes. */
  async join(): Promise<void> {
    const { store, logger } = this.#options;
    await store.end();
    await this.#look();
    logger.warn({}, 'the region is not drained any more');
  }

  /** Also names the beat as soon as the writes have ended: whoever cut them may not live to do it. */
  async #look(): Promise<void> {
    const { store } = this.#options;
    const drained = await store.find();
    this.#isDrained = drained !== null;
    if (drained !== null && drained.beat === null) await store.settle();
  }
}

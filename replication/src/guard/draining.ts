/**
 * Keeps callers away from a region whose local writes an operator has taken away, and carries the taking away out. Each
 * process looks again and again (`agenda-watch.ts`) and refuses politely; what makes it sure is the end of every
 * connection that was open before, after a moment in which the processes have heard of it. From the beat that is named
 * then on, nothing that was acknowledged is on its way here any more. Reads and replication go on.
 */
import { type AgendaTurns, agendaIntervalMs, type AgendaWatch } from '../agenda-watch.ts';
import { pause } from '../backoff.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { Drained, DrainStore } from '../ports/drain-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Timer } from '../ports/timer.ts';

export interface DrainingOptions {
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly store: DrainStore;
  readonly timer: Timer;
  readonly logger: Logger;
}

/** For every process to have looked. */
const graceMs = 3 * agendaIntervalMs;

export class Draining {
  readonly #options: DrainingOptions;
  readonly #turns: AgendaTurns;
  readonly #tryLook: () => Promise<void>;
  readonly #end = new AbortController();
  #isDrained = false;

  constructor(options: DrainingOptions) {
    this.#options = options;
    const { agenda, logger } = options;
    const onFailure = (err: unknown): void =>
      logger.debug({ err }, 'whether this region is drained is looked at again');
    this.#tryLook = orNextTurn(() => this.#look(), onFailure);
    const run = orNextTurn(({ drained }: Agenda) => this.#take(drained), onFailure);
    this.#turns = agenda.turns({ intervalMs: agendaIntervalMs, run });
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

  /** Now; resolves when it is done, or has failed. */
  look(): Promise<void> {
    return this.#tryLook();
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
    const waits = 'the region takes writes again when it was filled anew, or is not to be any more';
    logger.warn({}, this.#isDrained ? waits : 'the region is not drained any more');
  }

  async #look(): Promise<void> {
    await this.#take(await this.#options.store.find());
  }

  /** Also names the beat as soon as the writes have ended: whoever cut them may not live to do it. */
  async #take(drained: Drained | null): Promise<void> {
    this.#isDrained = drained !== null;
    if (drained !== null && drained.beat === null) await this.#options.store.settle();
  }
}

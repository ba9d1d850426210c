/**
 * Work that is done again and again at a fixed rate and at any time in between, where a turn that fails for an operating
 * reason is only noted, because the next one does it. A turn between the others may overlap with one of them.
 */
import { orNextTurn } from './next-turn.ts';
import type { Logger } from './ports/logger.ts';
import type { Timer } from './ports/timer.ts';
import { Ticker } from './ticker.ts';

export interface TurnsOptions {
  readonly timer: Timer;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Said of a turn that failed. */
  readonly ifNot: string;
  readonly turn: () => Promise<void>;
}

export class Turns {
  readonly #run: () => Promise<void>;
  readonly #ticker: Ticker;

  constructor({ timer, logger, intervalMs, ifNot, turn }: TurnsOptions) {
    this.#run = orNextTurn(turn, (err) => logger.debug({ err }, ifNot));
    this.#ticker = new Ticker({ timer, intervalMs, run: this.#run });
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  /** Resolves when it is done, or has failed. */
  now(): Promise<void> {
    return this.#run();
  }
}

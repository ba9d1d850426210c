/**
 * One pass over the records whose marks are unknown, because an earlier version of the program wrote them: they are
 * looked at a few at a time, so that nobody waits for it, and from then on who writes a record marks it. Until the pass
 * has come by, a record that was not looked at counts as one that may be in conflict, so nothing depends on how far it
 * is. What it has done stays done when it is cut off; the next process begins again and finds the rest.
 */
import { orNextTurn } from './next-turn.ts';
import type { RecordId } from './ports/change.ts';
import type { Logger } from './ports/logger.ts';
import { beginning } from './ports/record-reader.ts';
import type { RecordStore } from './ports/record-store.ts';
import type { Timer } from './ports/timer.ts';
import { Ticker } from './ticker.ts';

const intervalMs = 1000;
/** Each looks at up to a hundred records. */
const transactionsPerTurn = 20;

export interface MarkPassOptions {
  readonly records: Pick<RecordStore, 'examine'>;
  readonly timer: Timer;
  readonly logger: Logger;
}

export class MarkPass {
  readonly #options: MarkPassOptions;
  readonly #ticker: Ticker;
  #after: RecordId = beginning;
  #isStopped = false;

  constructor(options: MarkPassOptions) {
    this.#options = options;
    const { timer, logger } = options;
    const run = orNextTurn(
      () => this.#turn(),
      (err) => logger.warn({ err }, 'records of an earlier version were not looked at'),
    );
    this.#ticker = new Ticker({ timer, intervalMs, run });
  }

  start(): void {
    this.#ticker.start();
  }

  /** Resolves when no transaction is in flight. */
  stop(): Promise<void> {
    this.#isStopped = true;
    return this.#ticker.stop();
  }

  async #turn(): Promise<void> {
    for (let count = 0; count < transactionsPerTurn && !this.#isStopped; count++) {
      const last = await this.#options.records.examine(this.#after);
      // A ticker that is stopped within a run starts no other.
      if (last === null) return void this.stop();
      this.#after = last;
    }
  }
}

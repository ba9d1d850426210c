/**
 * Says in the log that changes of an origin were put aside (P4), for whoever reads there before an alert comes. An origin
 * whose clock is ahead has each of its changes put aside, so a partition and cause is told of once a minute at most, with
 * how many there were since it was told of last. What a record holds or is called is never said.
 */
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { DeadLetter, DeadLetterCause } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';

export interface PutAsideNotesOptions {
  readonly origin: RegionId;
  readonly timer: Timer;
  readonly logger: Logger;
}

interface Note {
  readonly partition: number;
  readonly cause: DeadLetterCause;
  /** `null`: never. */
  readonly toldMs: number | null;
  /** Since then. */
  readonly count: number;
}

const tellEveryMs = 60_000;

export class PutAsideNotes {
  readonly #options: PutAsideNotesOptions;
  /** As many as there are partitions and causes. */
  readonly #notes = new Map<string, Note>();

  constructor(options: PutAsideNotesOptions) {
    this.#options = options;
  }

  /** Once they are stored. */
  note(letters: readonly Pick<DeadLetter, 'partition' | 'cause'>[]): void {
    for (const { partition, cause } of letters) {
      const name = `${partition} ${cause}`;
      const { toldMs, count } = this.#notes.get(name) ?? { toldMs: null, count: 0 };
      this.#notes.set(name, { partition, cause, toldMs, count: count + 1 });
    }
    if (letters.length > 0) this.#tell();
  }

  #tell(): void {
    const { origin, timer, logger } = this.#options;
    const nowMs = timer.monotonicMs();
    for (const [name, { partition, cause, toldMs, count }] of this.#notes) {
      if (count === 0 || (toldMs !== null && nowMs - toldMs < tellEveryMs)) continue;
      logger.warn({ origin, partition, cause, count }, 'changes are put aside and hold back what is settled');
      this.#notes.set(name, { partition, cause, toldMs: nowMs, count: 0 });
    }
  }
}

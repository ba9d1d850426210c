/**
 * The port `Clock` over a database in memory: that database's clock at the last reading plus the monotonic time since,
 * as the one over Postgres has it, so a step of the database's clock shows after the next reading.
 */
import { type ClockReading, readAfter, readingOf } from '../../clock-reading.ts';
import { ReplicationError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Timer } from '../../ports/timer.ts';

export class MemoryClock implements Clock {
  readonly #timer: Pick<Timer, 'monotonicMs'>;
  #reading: ClockReading | null = null;

  constructor(timer: Pick<Timer, 'monotonicMs'>) {
    this.#timer = timer;
  }

  nowMs(): number {
    if (this.#reading === null)
      throw new ReplicationError('clock-unknown', 'the database clock was never read', { retriable: true });
    return this.#reading.offsetMs + this.#timer.monotonicMs();
  }

  /** `read` asks the database. */
  async calibrate(read: () => Promise<number>): Promise<void> {
    this.#reading = await readAfter(this.#reading, async () => {
      const askedMs = this.#timer.monotonicMs();
      const answerMs = await read();
      return readingOf(answerMs, askedMs, this.#timer.monotonicMs());
    });
  }
}

/**
 * The port `Clock` over a database in memory: that database's clock at the last reading plus the monotonic time since,
 * as the one over Postgres has it, so a step of the database's clock shows after the next reading.
 */
import { ReplicationError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Timer } from '../../ports/timer.ts';

export class MemoryClock implements Clock {
  readonly #timer: Pick<Timer, 'monotonicMs'>;
  /** Database clock minus monotonic clock. */
  #offsetMs: number | null = null;

  constructor(timer: Pick<Timer, 'monotonicMs'>) {
    this.#timer = timer;
  }

  nowMs(): number {
    if (this.#offsetMs === null)
      throw new ReplicationError('clock-unknown', 'the database clock was never read', { retriable: true });
    return this.#offsetMs + this.#timer.monotonicMs();
  }

  /** `read` asks the database; a reading counts for the middle of its round trip. */
  async calibrate(read: () => Promise<number>): Promise<void> {
    const askedMs = this.#timer.monotonicMs();
    const answerMs = await read();
    this.#offsetMs = answerMs - (askedMs + this.#timer.monotonicMs()) / 2;
  }
}

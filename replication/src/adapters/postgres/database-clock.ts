/**
 * The port `Clock`: the database's clock at the last reading plus the monotonic time since (P3). A reading counts for
 * the middle of its round trip, and one that took long does not replace a better one. A step of the database's clock shows
 * here after the next reading; this process's own wall clock is never looked at.
 */
import { type ClockReading, readAfter, readingOf } from '../../clock-reading.ts';
import { ReplicationError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { numberAt } from './row-values.ts';

const selectNow = { name: 'isthmus_now', text: `SELECT ${milliseconds('clock_timestamp()')}` };

export class DatabaseClock implements Clock {
  readonly #connections: Connections;
  #reading: ClockReading | null = null;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  nowMs(): number {
    if (this.#reading === null) {
      throw new ReplicationError('clock-unknown', 'the database clock was never read', { retriable: true });
    }
    return this.#reading.offsetMs + performance.now();
  }

  /** Reads the database's clock. Rejects with `database-unavailable`; the last reading then stays in force. */
  async calibrate(): Promise<void> {
    await this.#connections.pulse(async (session) => {
      this.#reading = await readAfter(this.#reading, async () => {
        const askedMs = performance.now();
        const answer = await session.query(selectNow);
        return readingOf(numberAt(answer.rows[0] ?? [], 0), askedMs, performance.now());
      });
    });
  }
}

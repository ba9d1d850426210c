/**
 * The port `Clock`: the database's clock at the last reading plus the monotonic time since (P3). A reading counts for
 * the middle of its round trip, so it is wrong by at most half of that. Each reading is followed at once, forwards
 * and backwards, so a step of the database's clock shows here after the next one; this process's own wall clock is
 * never looked at.
 */
import { ReplicationError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { numberAt } from './row-values.ts';

const selectNow = { name: 'isthmus_now', text: `SELECT ${milliseconds('clock_timestamp()')}` };

export class DatabaseClock implements Clock {
  readonly #connections: Connections;
  /** Database clock minus monotonic clock. */
  #offsetMs: number | null = null;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  nowMs(): number {
    if (this.#offsetMs === null) {
      throw new ReplicationError('clock-unknown', 'the database clock was never read', { retriable: true });
    }
    return this.#offsetMs + performance.now();
  }

  /** Reads the database's clock. Rejects with `database-unavailable`; the last reading then stays in force. */
  async calibrate(): Promise<void> {
    await this.#connections.pulse(async (session) => {
      const askedMs = performance.now();
      const answer = await session.query(selectNow);
      const answeredMs = performance.now();
      this.#offsetMs = numberAt(answer.rows[0] ?? [], 0) - (askedMs + answeredMs) / 2;
    });
  }
}

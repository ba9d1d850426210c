/**
 * When a region really made its beats, on the clock of the run. Ages are told in beats, so an age can be right and yet
 * go back to the beat before the newest change that has arrived; on a busy machine beats are further apart.
 */
import type { Client } from 'pg';

const read = 40;
const kept = 4000;

interface Made {
  readonly number: number;
  readonly ms: number;
}

export class Beats {
  /** Ascending. */
  #made: readonly Made[] = [];
  #readMs = Number.NEGATIVE_INFINITY;

  /** The clock of the region may be set: only what it says at one moment is believed, and not beyond what can be. */
  async read(client: Client): Promise<void> {
    const { rows } = await client.query<{ number: string; age: string }>(newest);
    const nowMs = performance.now();
    const last = this.#made.at(-1)?.number ?? Number.NEGATIVE_INFINITY;
    const earliestMs = this.#readMs;
    const found = rows.toReversed().map(({ number, age }) => ({
      number: Number(number),
      ms: Math.min(nowMs, Math.max(earliestMs, nowMs - Number(age))),
    }));
    this.#made = [...this.#made, ...found.filter(({ number }) => number > last)].slice(-kept);
    this.#readMs = nowMs;
  }

  /**
   * Of the last beat but one before a moment, since the last one may travel with the next changes; the moment itself
   * where there is none.
   */
  before(ms: number): number {
    const after = this.#made.findLastIndex((made) => made.ms <= ms);
    return this.#made[after - 1]?.ms ?? ms;
  }
}

const newest = `SELECT number::text AS number, (extract(epoch FROM clock_timestamp() - at) * 1000)::text AS age
  FROM isthmus.beat ORDER BY number DESC LIMIT ${read}`;

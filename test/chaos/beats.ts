/**
 * When a region really made its beats, on the clock of the run. Ages are told in beats, so an age can be right and yet
 * go back to the beat before the newest change that has arrived; on a busy machine beats are further apart.
 */
import type { Client } from 'pg';

const read = 40;
const kept = 4000;

export class Beats {
  /** Ascending. */
  #atMs: readonly number[] = [];

  async read(client: Client): Promise<void> {
    const { rows } = await client.query<{ at: string }>(newest);
    const found = rows.map(({ at }) => Number(at) - performance.timeOrigin).toReversed();
    const last = this.#atMs.at(-1) ?? Number.NEGATIVE_INFINITY;
    this.#atMs = [...this.#atMs, ...found.filter((at) => at > last)].slice(-kept);
  }

  /**
   * Of the last beat but one before a moment, since the last one may travel with the next changes; the moment itself
   * where there is none.
   */
  before(ms: number): number {
    const after = this.#atMs.findLastIndex((at) => at <= ms);
    return this.#atMs[after - 1] ?? ms;
  }
}

const newest = `SELECT (extract(epoch FROM at) * 1000)::text AS at FROM isthmus.beat ORDER BY number DESC LIMIT ${read}`;

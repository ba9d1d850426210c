/**
 * The port `DrainStore` on Postgres: two columns of the identity row, which every new connection reads. The commit of a
 * backend that is told to end may still succeed, so the beat is named only after all of them are gone; and the next one
 * may have read its place before that, so it is the one after it.
 */
import type { Drained, DrainStore } from '../../ports/drain-store.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { endDrained } from './identity-row.ts';
import { nullableAt, numberAt } from './row-values.ts';
import type { Statement } from './session.ts';

const selectDrained: Statement = {
  name: 'isthmus_drained',
  text: `SELECT ${milliseconds('drained_since')}, drained_beat FROM isthmus.identity`,
};

const beginDrain: Statement = {
  name: 'isthmus_drain',
  text: 'UPDATE isthmus.identity SET drained_since = clock_timestamp() WHERE drained_since IS NULL',
};

const settleDrain: Statement = {
  name: 'isthmus_drain_settle',
  text: `UPDATE isthmus.identity SET drained_beat = coalesce((SELECT max(number) FROM isthmus.beat), 0) + 2
  WHERE drained_since IS NOT NULL AND drained_beat IS NULL AND NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'isthmus'
      AND backend_start < drained_since)`,
};

const endDrain: Statement = {
  name: 'isthmus_drain_over',
  text: 'UPDATE isthmus.identity SET drained_since = NULL, drained_beat = NULL WHERE drained_since IS NOT NULL',
};

export class PostgresDrainStore implements DrainStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async find(): Promise<Drained | null> {
    const row = (await this.#connections.query(selectDrained)).rows[0] ?? [null];
    const sinceMs = nullableAt(row, 0, numberAt);
    return sinceMs === null ? null : { sinceMs, beat: nullableAt(row, 1, numberAt) };
  }

  /** Also on a database that is not proven: it takes something away and gives nothing. */
  async begin(): Promise<void> {
    await this.#connections.query(beginDrain);
  }

  async cut(): Promise<void> {
    const session = await this.#connections.checkOut('read');
    try {
      await session.query(endDrained);
    } finally {
      session.drop();
    }
  }

  async settle(): Promise<boolean> {
    await this.#connections.query(settleDrain);
    return ((await this.find())?.beat ?? null) !== null;
  }

  async end(): Promise<void> {
    await this.#connections.query(endDrain);
  }
}

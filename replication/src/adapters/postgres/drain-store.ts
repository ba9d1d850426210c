/**
 * The port `DrainStore` on Postgres: columns of the identity row, which every new connection reads. The commit of a
 * backend that is told to end may still succeed, so the beat is named only after all of them are gone; and the next one
 * may have read its place before that, so it is the one after it. Which backends these are is noted once the mark can be
 * read, because whoever connects later has read it; by its time alone a backend cannot be told to be one of them, since
 * clocks are set back.
 */
import type { Drained, DrainStore } from '../../ports/drain-store.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { endDrained } from './identity-row.ts';
import type { Row } from './row-values.ts';
import { nullableAt, numberAt } from './row-values.ts';
import type { Statement } from './session.ts';

export const selectDrained: Statement = {
  name: 'isthmus_drained',
  text: `SELECT ${milliseconds('drained_since')}, drained_beat FROM isthmus.identity`,
};

const beginDrain: Statement = {
  name: 'isthmus_drain',
  text: 'UPDATE isthmus.identity SET drained_since = clock_timestamp() WHERE drained_since IS NULL',
};

/** Tells a backend from a later one with the same process id. */
const backend = "pid || ' ' || extract(epoch FROM backend_start)";

/** A later statement than the mark's. */
const noteBackends: Statement = {
  name: 'isthmus_drain_from',
  text: `UPDATE isthmus.identity SET drained_from = ARRAY(SELECT ${backend} FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'isthmus')
  WHERE drained_since IS NOT NULL AND drained_from IS NULL`,
};

const settleDrain: Statement = {
  name: 'isthmus_drain_settle',
  text: `UPDATE isthmus.identity SET drained_beat = coalesce((SELECT max(number) FROM isthmus.beat), 0) + 2
  WHERE drained_since IS NOT NULL AND drained_beat IS NULL AND drained_from IS NOT NULL AND NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND ${backend} = ANY (drained_from))`,
};

/** What may be dropped takes no writes until that is over, and takes them then. */
const endDrain: Statement = {
  name: 'isthmus_drain_over',
  text: `WITH held AS (
    UPDATE isthmus.refill SET was_drained = false WHERE state IN ('securing', 'renewing') RETURNING one
  ) UPDATE isthmus.identity SET drained_since = NULL, drained_from = NULL, drained_beat = NULL
  WHERE drained_since IS NOT NULL AND NOT EXISTS (SELECT FROM held)`,
};

export class PostgresDrainStore implements DrainStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async find(): Promise<Drained | null> {
    return drainedOf((await this.#connections.query(selectDrained)).rows[0]);
  }

  /** Also on a database that is not proven: it takes something away and gives nothing. */
  async begin(): Promise<void> {
    await this.#connections.query(beginDrain);
    await this.#connections.query(noteBackends);
  }

  /** Notes them where whoever took the writes away did not live to do it, or did it for a refill: all of them end now. */
  async cut(): Promise<void> {
    await this.#connections.query(noteBackends);
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

/** Of the only row of `selectDrained`, or of none. */
export function drainedOf(row: Row = [null]): Drained | null {
  const sinceMs = nullableAt(row, 0, numberAt);
  return sinceMs === null ? null : { sinceMs, beat: nullableAt(row, 1, numberAt) };
}

/** The port `IncarnationStore` on Postgres. What it writes is durable on return. */
import type { IncarnationStore, Relearning } from '../../ports/incarnation-store.ts';
import type { Vector, VectorEntry, WholePast } from '../../ports/vector.ts';
import { milliseconds } from './beat-figures.ts';
import type { Connections } from './connections.ts';
import { endOthers } from './identity-row.ts';
import { incarnationAt, regionAt } from './positions.ts';
import { booleanAt, lsnAt, nullableAt, numberAt } from './row-values.ts';
import type { Statement } from './session.ts';
import { entryAt, vectorFrom, vectorValues } from './vector-columns.ts';

const insertClosed: Statement = {
  name: 'isthmus_closed_insert',
  text: `INSERT INTO isthmus.closed_incarnation (region, incarnation_counter, incarnation_nonce, partition, lsn)
  SELECT region, counter, nonce, partition, lsn FROM ${vectorFrom(1)} ON CONFLICT DO NOTHING`,
};

const entryColumns = 'region, incarnation_counter, incarnation_nonce, partition, lsn::text';

const selectClosed: Statement = {
  name: 'isthmus_closed',
  text: `SELECT ${entryColumns} FROM isthmus.closed_incarnation`,
};

const selectRelearning: Statement = {
  name: 'isthmus_relearning',
  text: `SELECT ${milliseconds('relearning_since')}, promise_known,
    (SELECT donor FROM isthmus.refill WHERE unfilled), relearning_open,
    (SELECT max(next_job) FROM isthmus.own_past) FROM isthmus.identity`,
};

const openToWrites: Statement = {
  name: 'isthmus_relearning_open',
  text: `UPDATE isthmus.identity SET relearning_open = $1
  WHERE relearning_since IS NOT NULL AND NOT EXISTS (SELECT FROM isthmus.refill WHERE unfilled)`,
};

const endFilling: Statement = {
  name: 'isthmus_filled',
  text: "UPDATE isthmus.refill SET state = 'learning', unfilled = false, detail = '' WHERE state = 'filling'",
};

const selectPasts: Statement = {
  name: 'isthmus_own_pasts',
  text: `SELECT incarnation_counter, incarnation_nonce, through::text FROM isthmus.own_past
  ORDER BY incarnation_counter, incarnation_nonce`,
};

const selectPromised: Statement = {
  name: 'isthmus_promised',
  text: `SELECT ${entryColumns} FROM isthmus.promised`,
};

const endRelearning: Statement = {
  name: 'isthmus_relearnt',
  text: `WITH ended AS (UPDATE isthmus.identity SET relearning_since = NULL RETURNING one),
    past AS (DELETE FROM isthmus.own_past USING ended),
    refill AS (UPDATE isthmus.refill SET state = 'done', ended_at = clock_timestamp() WHERE state = 'learning'),
    whole AS (INSERT INTO isthmus.whole_past AS old (region, before_counter)
      SELECT $1, $2::bigint WHERE $1::text IS NOT NULL ON CONFLICT (region)
      DO UPDATE SET before_counter = greatest(old.before_counter, excluded.before_counter))
  DELETE FROM isthmus.promised USING ended`,
};

export class PostgresIncarnationStore implements IncarnationStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async close(ended: VectorEntry): Promise<void> {
    await this.#connections.write((session) => session.query(insertClosed, ...vectorValues([ended])));
  }

  async closed(): Promise<Vector> {
    const { rows } = await this.#connections.query(selectClosed);
    return rows.map((row) => entryAt(row, 0));
  }

  async relearning(): Promise<Relearning | null> {
    const [state, pasts, promised] = await this.#connections.read((session) =>
      session.pipeline([[selectRelearning], [selectPasts], [selectPromised]]),
    );
    const row = state?.rows[0] ?? [null];
    const sinceMs = nullableAt(row, 0, numberAt);
    if (sinceMs === null) return null;
    return {
      sinceMs,
      fill: nullableAt(row, 2, regionAt),
      isOpen: booleanAt(row, 3),
      firstJob: numberAt(row, 4),
      pasts: (pasts?.rows ?? []).map((each) => ({
        incarnation: incarnationAt(each, 0),
        through: lsnAt(each, 2),
      })),
      promised: booleanAt(row, 1) ? (promised?.rows ?? []).map((each) => entryAt(each, 0)) : null,
    };
  }

  async filled(): Promise<void> {
    await this.#connections.write((session) => session.query(endFilling));
  }

  /** What a connection was let in for it may go on with, so all of them end where it is taken back. */
  async setOpen(isOpen: boolean): Promise<void> {
    const session = await this.#connections.checkOut('read');
    try {
      await session.query(openToWrites, isOpen);
      if (!isOpen) await session.query(endOthers);
    } finally {
      if (isOpen) session.release();
      else session.drop();
    }
  }

  async relearnt(whole: WholePast | null): Promise<void> {
    const [region, before] = [whole?.region ?? null, whole?.before ?? null];
    await this.#connections.write((session) => session.query(endRelearning, region, before));
  }
}

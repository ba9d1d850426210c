/** The port `SessionStore` on Postgres: one statement, so that what it tells belongs together. */
import { assert } from '../../errors.ts';
import { decodeVector } from '../../log/offer-bytes.ts';
import type { SeenCommit, SessionPlace, SessionStore } from '../../ports/session-store.ts';
import type { Vector, VectorEntry } from '../../ports/vector.ts';
import type { Connections } from './connections.ts';
import { isOneOf, lifeAt } from './awaited-past.ts';
import { isProvenNow } from './identity-row.ts';
import { incarnationAt, regionAt } from './positions.ts';
import { lsnAt, numberAt, textAt } from './row-values.ts';
import type { Row } from './row-values.ts';
import type { Statement } from './session.ts';
import { entryAt } from './vector-columns.ts';
import { wholeAt, wholeFrom } from './whole-pasts.ts';

const kinds = { position: 0, ahead: 1, closed: 2, insert: 3, retired: 4, awaited: 5, whole: 6 } as const;

const columns = 'region, incarnation_counter, incarnation_nonce, partition, lsn::text, lsn::text';

const selectPlace: Statement = {
  name: 'isthmus_session_place',
  text: `SELECT ${kinds.position}, origin, incarnation_counter, incarnation_nonce, partition, applied::text, settled::text
    FROM isthmus.position
  UNION ALL SELECT ${kinds.ahead}, ${columns} FROM isthmus.ahead
  UNION ALL SELECT ${kinds.closed}, ${columns} FROM isthmus.closed_incarnation
  UNION ALL SELECT ${kinds.insert}, '', incarnation_counter, incarnation_nonce, 0,
    pg_current_wal_insert_lsn()::text,
    (CASE WHEN ${isProvenNow} THEN pg_current_wal_insert_lsn()
      ELSE coalesce((SELECT lsn FROM isthmus.beat ORDER BY number DESC LIMIT 1), '0/0') END)::text
    FROM isthmus.identity
  UNION ALL SELECT ${kinds.retired}, region, 0, 0, 0, encode(final, 'hex'), NULL
    FROM isthmus.retired WHERE final IS NOT NULL
  UNION ALL SELECT ${kinds.awaited}, region, incarnation_counter, incarnation_nonce, 0, NULL, NULL
    FROM isthmus.awaited_past
  UNION ALL SELECT ${kinds.whole}, region, before_counter, 0, 0, NULL, NULL FROM ${wholeFrom}`,
};

/**
 * After the COMMIT: at or beyond the end of its record, and beyond all that the transaction can have read of others,
 * because what merges theirs moves positions with it.
 */
export const selectSight: Statement = {
  name: 'isthmus_session_sight',
  text: `SELECT ${kinds.insert}, '', 0, 0, 0, pg_current_wal_insert_lsn()::text
  UNION ALL SELECT ${kinds.position}, origin, incarnation_counter, incarnation_nonce, partition, applied::text
    FROM isthmus.position
  UNION ALL SELECT ${kinds.ahead}, region, incarnation_counter, incarnation_nonce, partition, lsn::text
    FROM isthmus.ahead`,
};

/** What `selectSight` answered, or more. */
export function seenCommitOf(rows: readonly Row[]): SeenCommit {
  const seen = { applied: entriesOf(rows, 'position'), ahead: entriesOf(rows, 'ahead') };
  return { end: lsnAt(insertOf(rows), 5), seen };
}

function insertOf(rows: readonly Row[]): Row {
  const [insert] = rowsOf(rows, 'insert');
  assert(insert !== undefined, 'a place has an insert position');
  return insert;
}

function entriesOf(rows: readonly Row[], kind: keyof typeof kinds): Vector {
  return rowsOf(rows, kind).map((row) => entryAt(row, 1));
}

function rowsOf(rows: readonly Row[], kind: keyof typeof kinds): readonly Row[] {
  return rows.filter((row) => numberAt(row, 0) === kinds[kind]);
}

export class PostgresSessionStore implements SessionStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  get era(): number {
    return this.#connections.broken;
  }

  async place(): Promise<SessionPlace> {
    const { rows } = await this.#connections.query(selectPlace);
    const { end: insertLsn, seen } = seenCommitOf(rows);
    const ends = rowsOf(rows, 'retired');
    const finals = ends.map((row) => decodeVector(Buffer.from(textAt(row, 5), 'hex')));
    const retired = ends.map((row) => regionAt(row, 1));
    const ended = entriesOf(rows, 'closed');
    const awaited = rowsOf(rows, 'awaited').map((row) => lifeAt(row, 1));
    const settled = rowsOf(rows, 'position').map((row) => ({ ...entryAt(row, 1), lsn: lsnAt(row, 6) }));
    const isCounted = (entry: VectorEntry): boolean => !isOneOf(awaited, entry);
    return {
      incarnation: incarnationAt(insertOf(rows), 2),
      ...seen,
      settled: settled.filter(isCounted),
      whole: rowsOf(rows, 'whole').map((row) => wholeAt(row, 1)),
      closed: [
        ...ended.filter(({ region }) => !retired.includes(region)),
        ...finals.flat().filter(isCounted),
      ],
      retired,
      insertLsn,
      ownThrough: lsnAt(insertOf(rows), 6),
    };
  }
}

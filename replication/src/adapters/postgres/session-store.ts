/** The port `SessionStore` on Postgres: one statement, so that what it tells belongs together. */
import { assert } from '../../errors.ts';
import type { SessionPlace, SessionStore } from '../../ports/session-store.ts';
import type { Connections } from './connections.ts';
import { lsnAt, numberAt } from './row-values.ts';
import type { Row } from './row-values.ts';
import type { Statement } from './session.ts';
import { entryAt } from './vector-columns.ts';

const kinds = { position: 0, ahead: 1, closed: 2, insert: 3 } as const;

const columns = 'region, incarnation_counter, incarnation_nonce, partition, lsn::text, lsn::text';

const selectPlace: Statement = {
  name: 'isthmus_session_place',
  text: `SELECT ${kinds.position}, origin, incarnation_counter, incarnation_nonce, partition, applied::text, settled::text
    FROM isthmus.position
  UNION ALL SELECT ${kinds.ahead}, ${columns} FROM isthmus.ahead
  UNION ALL SELECT ${kinds.closed}, ${columns} FROM isthmus.closed_incarnation
  UNION ALL SELECT ${kinds.insert}, '', 0, 0, 0, pg_current_wal_insert_lsn()::text, NULL`,
};

export class PostgresSessionStore implements SessionStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async place(): Promise<SessionPlace> {
    const { rows } = await this.#connections.query(selectPlace);
    const of = (kind: number): readonly Row[] => rows.filter((row) => numberAt(row, 0) === kind);
    const [insert] = of(kinds.insert);
    assert(insert !== undefined, 'a place has an insert position');
    const positions = of(kinds.position);
    return {
      applied: positions.map((row) => entryAt(row, 1)),
      settled: positions.map((row) => ({ ...entryAt(row, 1), lsn: lsnAt(row, 6) })),
      ahead: of(kinds.ahead).map((row) => entryAt(row, 1)),
      closed: of(kinds.closed).map((row) => entryAt(row, 1)),
      insertLsn: lsnAt(insert, 5),
    };
  }
}

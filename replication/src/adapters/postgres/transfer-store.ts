/**
 * The port `TransferStore` on Postgres. A snapshot is a connection of its own that stands in one REPEATABLE READ
 * transaction; few are open at once, because each keeps a connection from others and dead rows from being removed.
 * The server ends one that has been idle for long, and its reader then goes on under another.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { HashedRecords, NextRange, RangeDigest, RecordRange } from '../../ports/record-reader.ts';
import type {
  MergeTransaction,
  Published,
  RaiseTransaction,
  Standing,
  TransferSnapshot,
  TransferStore,
} from '../../ports/transfer-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { beatAt } from './beat-columns.ts';
import { milliseconds } from './beat-figures.ts';
import { textArray } from './binary-array.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import { PostgresRecordReader } from './record-digests.ts';
import { PlaceholderHabit } from './record-locks.ts';
import { beginWithoutWaiting, harmless } from './remote-apply.ts';
import { booleanAt, lsnAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';
import { commit } from './session.ts';
import { standingCalls, standingOf } from './standing.ts';
import { mergeStates, planMerge } from './transfer-merge.ts';
import { forgetRefused, raisePositions } from './transfer-raise.ts';
import { raiseIn, vectorValues } from './vector-columns.ts';
import { wholeFrom } from './whole-pasts.ts';
import { formatLsn } from './wal-message.ts';

const beginSnapshot: Statement = {
  name: 'isthmus_begin_snapshot',
  text: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
};

/** What a slot that was lost had not read has no end; it ended before the place of the next beat was read (P2). */
export const selectPublished: Statement = {
  name: 'isthmus_published',
  text: `SELECT newest.end_lsn::text, passed.number, passed.lsn::text, ${milliseconds('passed.at')},
    CASE WHEN passed.is_read THEN passed.count END,
    (CASE WHEN passed.is_read THEN passed.end_lsn ELSE $1::text::pg_lsn END)::text
  FROM (SELECT end_lsn FROM isthmus.beat WHERE published ORDER BY number DESC LIMIT 1) AS newest LEFT JOIN LATERAL (
    SELECT beat.*, beat.published AND beat.end_lsn <= $1::text::pg_lsn AS is_read FROM isthmus.beat
    WHERE (beat.published AND beat.end_lsn <= $1::text::pg_lsn) OR (
      SELECT next.lsn FROM isthmus.beat AS next WHERE next.number = beat.number + 1) <= $1::text::pg_lsn
    ORDER BY beat.number DESC LIMIT 1
  ) AS passed ON true`,
};

const insertAhead: Statement = {
  name: 'isthmus_ahead_insert',
  text: raiseIn('isthmus.ahead'),
};

const deleteCovered: Statement = {
  name: 'isthmus_ahead_forget',
  text: `DELETE FROM isthmus.ahead USING isthmus.position AS entry
  WHERE ahead.region = entry.origin AND ahead.incarnation_counter = entry.incarnation_counter
    AND ahead.incarnation_nonce = entry.incarnation_nonce AND ahead.partition = entry.partition
    AND entry.settled >= ahead.lsn`,
};

const deleteRetired: Statement = {
  name: 'isthmus_ahead_forget_retired',
  text: 'DELETE FROM isthmus.ahead WHERE region = ANY ($1::text[])',
};

const selectLeft: Statement = {
  name: 'isthmus_ahead_left',
  text: `SELECT EXISTS (SELECT FROM isthmus.ahead WHERE NOT EXISTS (SELECT FROM ${wholeFrom}
    AND whole.region = ahead.region AND ahead.incarnation_counter < whole.before_counter))`,
};

export class PostgresTransferStore implements TransferStore {
  readonly #connections: Connections;
  readonly #reader: PostgresRecordReader;
  readonly #habit = new PlaceholderHabit();

  constructor(connections: Connections) {
    this.#connections = connections;
    this.#reader = new PostgresRecordReader((calls) =>
      connections.read((session) => session.pipeline(calls)),
    );
  }

  async openSnapshot(): Promise<TransferSnapshot> {
    const session = await this.#connections.checkOut('read');
    try {
      const [, ...answers] = await session.pipeline([[beginSnapshot], ...standingCalls]);
      return new PostgresSnapshot(session, standingOf(answers));
    } catch (error) {
      session.drop();
      throw error;
    }
  }

  async standing(): Promise<Standing> {
    const snapshot = await this.openSnapshot();
    await snapshot.close();
    return snapshot.standing;
  }

  async published(upTo: Lsn): Promise<Published | null> {
    const row = (await this.#connections.query(selectPublished, formatLsn(upTo))).rows[0];
    return row === undefined ? null : { through: lsnAt(row, 0), passed: beatAt(row, 1) };
  }

  async expect(ahead: Vector): Promise<void> {
    await this.#connections.transact((session) =>
      commitWith(session, {
        before: [...beginWithoutWaiting, [insertAhead, ...vectorValues(ahead)]],
        after: [],
      }),
    );
  }

  async forgetCovered(retired: readonly RegionId[]): Promise<boolean> {
    const [, , left] = await this.#connections.write((session) =>
      session.pipeline([[deleteCovered], [deleteRetired, textArray(retired)], [selectLeft]]),
    );
    return booleanAt(left?.rows[0] ?? [], 0);
  }

  async beginPass(job: number): Promise<void> {
    await this.#connections.write((session) => session.query(forgetRefused, job));
  }

  async merge(transaction: MergeTransaction): Promise<boolean> {
    const planned = planMerge(transaction, this.#habit);
    return this.#repeatable((session) => mergeStates(session, planned));
  }

  async raise(transaction: RaiseTransaction): Promise<boolean> {
    return this.#repeatable((session) => raisePositions(session, transaction));
  }

  ranges(after: RecordId): Promise<readonly NextRange[]> {
    return this.#reader.ranges(after);
  }

  digest(range: RecordRange): Promise<RangeDigest> {
    return this.#reader.digest(range);
  }

  hashes(range: RecordRange, limit: number): Promise<HashedRecords> {
    return this.#reader.hashes(range, limit);
  }

  states(ids: readonly RecordId[]): Promise<readonly Uint8Array[]> {
    return this.#reader.states(ids);
  }

  /** Merging and raising twice is harmless, so an outcome that is unknown is one to try again. */
  async #repeatable(work: (session: Session) => Promise<boolean>): Promise<boolean> {
    try {
      return await this.#connections.transact(work);
    } catch (error) {
      throw harmless(error);
    }
  }
}

class PostgresSnapshot extends PostgresRecordReader implements TransferSnapshot {
  readonly standing: Standing;
  #session: Session | null;

  constructor(session: Session, standing: Standing) {
    super((calls) => {
      assert(this.#session !== null, 'a snapshot is not read after it was closed');
      return this.#session.pipeline(calls);
    });
    this.#session = session;
    this.standing = standing;
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    if (session === null) return;
    try {
      if (session.lost === null) await session.query(commit);
    } catch (error) {
      // It has only read. A connection on which that fails is dropped, and the transaction with it.
      if (!(error instanceof ReplicationError)) throw error;
    } finally {
      session.release();
    }
  }
}

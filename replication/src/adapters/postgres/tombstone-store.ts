/**
 * The port `TombstoneStore` on Postgres. The mark of a closed generation is the `xmax` of a snapshot taken after its
 * commit: whoever wrote under it had its xid before, because rows are locked before the generation is read (P3), and has
 * ended once no running transaction is older. Rows are dropped under their locks in the order of every write, together
 * with the floors; that need not wait for the disk, because a crash takes back both.
 */
import { assert } from '../../errors.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import type { StoredRecord } from '../../ports/record-store.ts';
import type { BarrierRow, CollectTransaction, TombstoneStore, Verdict } from '../../ports/tombstone-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { milliseconds } from './beat-figures.ts';
import { textArray, tidArray } from './binary-array.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import { deleteRecords, groupsOf } from './record-locks.ts';
import { beginWithoutWaiting, harmless } from './remote-apply.ts';
import type { Row } from './row-values.ts';
import { bigintAt, booleanAt, bytesAt, nullableAt, numberAt, textAt } from './row-values.ts';
import type { Call, Session, Statement } from './session.ts';
import { begin } from './session.ts';
import { raiseIn, vectorValues } from './vector-columns.ts';
import { formatLsn } from './wal-message.ts';

const maxRecords = 500;
const pageBytes = 4 * 1024 * 1024;
const mostCounted = 1_000_000;

const selectBarrier: Statement = {
  name: 'isthmus_barrier',
  text: `SELECT completed, CASE WHEN generation > completed + 1 THEN generation - 1 END,
    ${milliseconds('opened_at')}, ${milliseconds('completed_at')}, ${milliseconds('clock_timestamp()')}
  FROM isthmus.barrier JOIN isthmus.identity USING (one)`,
};

const closeGeneration: Statement = {
  name: 'isthmus_generation_close',
  text: `WITH closed AS (UPDATE isthmus.identity SET generation = generation + 1 WHERE generation = $1 RETURNING one)
  UPDATE isthmus.barrier SET opened_at = clock_timestamp() FROM closed WHERE barrier.one = closed.one`,
};

const selectMark: Statement = {
  name: 'isthmus_generation_mark',
  text: 'SELECT pg_snapshot_xmax(pg_current_snapshot())::text',
};

const selectEnded: Statement = {
  name: 'isthmus_generation_ended',
  text: 'SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::text::xid8',
};

const nextRound: Statement = {
  name: 'isthmus_barrier_round',
  text: 'UPDATE isthmus.barrier SET round = round + 1 RETURNING round',
};

const completeBarrier: Statement = {
  name: 'isthmus_barrier_complete',
  text: `UPDATE isthmus.barrier SET completed = $1, completed_at = clock_timestamp(), opened_at = NULL
  WHERE completed = $1::bigint - 1 AND round = $2`,
};

const raiseHorizon: Statement = {
  name: 'isthmus_horizon_raise',
  text: raiseIn('isthmus.horizon'),
};

const noteAnswer: Statement = {
  name: 'isthmus_barrier_answered',
  text: 'UPDATE isthmus.barrier SET answered = greatest(answered, $1::text::pg_lsn)',
};

const selectHasDead: Statement = {
  name: 'isthmus_dead_exists',
  text: 'SELECT EXISTS (SELECT FROM isthmus.record WHERE dead IS NOT FALSE)',
};

const selectDeadCount: Statement = {
  name: 'isthmus_dead_count',
  text: `SELECT count(*) FROM (SELECT FROM isthmus.record WHERE dead IS NOT FALSE LIMIT ${mostCounted}) AS counted`,
};

export const selectDead: Statement = {
  name: 'isthmus_dead',
  text: `SELECT collection, key, state FROM (
    SELECT collection, key, state,
      sum(octet_length(state)) OVER (ORDER BY collection, key) - octet_length(state) AS bytes_before
    FROM (SELECT collection, key, state FROM isthmus.record
      WHERE dead IS NOT FALSE AND gen <= $3 AND (collection, key) > ($1, $2)
      ORDER BY collection, key LIMIT $4) AS next
  ) AS measured WHERE bytes_before < ${pageBytes} ORDER BY collection, key`,
};

export const lockDead: Statement = {
  name: 'isthmus_dead_lock',
  text: `SELECT ctid::text, collection, key, state FROM isthmus.record
  WHERE collection = $1 AND key = ANY ($2::text[]) AND gen <= $3 ORDER BY key FOR NO KEY UPDATE`,
};

const markLiving: Statement = {
  name: 'isthmus_dead_lives',
  text: 'UPDATE isthmus.record SET dead = false WHERE ctid = ANY ($1::tid[])',
};

/** Of own counters, and of stamps. */
export const raiseFloors: Statement = {
  name: 'isthmus_floors_raise',
  text: 'UPDATE isthmus.identity SET floor = greatest(floor, $1), stamp_floor_ms = greatest(stamp_floor_ms, $2)',
};

export class PostgresTombstoneStore implements TombstoneStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async barrier(): Promise<BarrierRow> {
    const row = (await this.#connections.query(selectBarrier)).rows[0];
    assert(row !== undefined, 'the barrier row is gone');
    return {
      completed: numberAt(row, 0),
      open: nullableAt(row, 1, numberAt),
      openedAtMs: nullableAt(row, 2, numberAt),
      completedAtMs: nullableAt(row, 3, numberAt),
      readAtMs: numberAt(row, 4),
    };
  }

  close(number: number): Promise<bigint> {
    return this.#connections.write(async (session) => {
      await session.query(closeGeneration, number);
      return bigintAt((await session.query(selectMark)).rows[0] ?? [], 0);
    });
  }

  async hasEnded(mark: bigint): Promise<boolean> {
    return booleanAt((await this.#connections.query(selectEnded, mark.toString())).rows[0] ?? [], 0);
  }

  beginRound(): Promise<number> {
    return this.#connections.write(async (session) => {
      return numberAt((await session.query(nextRound)).rows[0] ?? [], 0);
    });
  }

  async complete(barrier: {
    readonly number: number;
    readonly round: number;
    readonly vector: Vector;
  }): Promise<boolean> {
    const { number, round, vector } = barrier;
    return this.#transact(async (session) => {
      const [, completed] = await session.pipeline([[begin], [completeBarrier, number, round]]);
      if (completed?.rowCount !== 1) {
        await session.rollback();
        return false;
      }
      await commitWith(session, { before: [[raiseHorizon, ...vectorValues(vector)]], after: [] });
      return true;
    });
  }

  async noteAnswered(position: Lsn): Promise<void> {
    await this.#connections.write((session) => session.query(noteAnswer, formatLsn(position)));
  }

  async hasDead(): Promise<boolean> {
    return booleanAt((await this.#connections.query(selectHasDead)).rows[0] ?? [], 0);
  }

  async countDead(): Promise<number> {
    return numberAt((await this.#connections.query(selectDeadCount)).rows[0] ?? [], 0);
  }

  async dead(query: {
    readonly after: RecordId;
    readonly through: number;
    readonly limit: number;
  }): Promise<readonly StoredRecord[]> {
    const { after, through, limit } = query;
    const { rows } = await this.#connections.query(selectDead, after.collection, after.key, through, limit);
    return rows.map((row) => recordAt(row, 0));
  }

  collect({ ids, through, decide }: CollectTransaction): Promise<number> {
    assert(ids.length > 0 && ids.length <= maxRecords, `${ids.length} records are collected at once`);
    const locks = groupsOf(ids).map(
      ({ collection, keys }): Call => [lockDead, collection, textArray(keys), through],
    );
    return this.#transact(async (session) => {
      const [, , ...answers] = await session.pipeline([...beginWithoutWaiting, ...locks]);
      const rows = answers.flatMap((answer) => answer.rows);
      const verdicts = decide(rows.map((row) => recordAt(row, 1)));
      const calls = callsOf(rows, verdicts);
      if (calls.length === 0) {
        await session.rollback();
        return 0;
      }
      await commitWith(session, { before: calls, after: [] });
      return verdicts.filter(({ kind }) => kind === 'drop').length;
    });
  }

  /** Doing any of it twice is harmless, so an outcome that is unknown is one to try again. */
  async #transact<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#connections.transact(work);
    } catch (error) {
      throw harmless(error);
    }
  }
}

function callsOf(rows: readonly Row[], verdicts: readonly Verdict[]): readonly Call[] {
  assert(verdicts.length === rows.length, 'every row is judged');
  const tuplesOf = (kind: Verdict['kind']): readonly string[] =>
    rows.filter((_, place) => verdicts[place]?.kind === kind).map((row) => textAt(row, 0));
  const drops = verdicts.flatMap((verdict) => (verdict.kind === 'drop' ? [verdict] : []));
  const floor = drops.reduce((highest, { ownCounter }) => Math.max(highest, ownCounter), 0);
  const stampMs = drops.reduce((highest, drop) => Math.max(highest, drop.stampMs), 0);
  const living = tuplesOf('lives');
  return [
    ...(drops.length > 0
      ? [call(deleteRecords, tidArray(tuplesOf('drop'))), call(raiseFloors, floor, stampMs)]
      : []),
    ...(living.length > 0 ? [call(markLiving, tidArray(living))] : []),
  ];
}

function call(...parts: Call): Call {
  return parts;
}

function recordAt(row: Row, first: number): StoredRecord {
  return {
    collection: textAt(row, first),
    key: textAt(row, first + 1),
    state: bytesAt(row, first + 2),
  };
}

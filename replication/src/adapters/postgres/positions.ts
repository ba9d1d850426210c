/**
 * How far each partition of each origin has come (P4). The compare-and-set of `applied` is the fence against a second,
 * stale applier: it comes first in the transaction and everything else falls with it. `settled` is computed in the
 * same transaction, after the position row is locked, and never goes back.
 */
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import type { ApplyTransaction, PositionMove, PositionRow } from '../../ports/record-store.ts';
import { assert } from '../../errors.ts';
import { parseRegionId } from '../../ports/identity.ts';
import { beatArrays, beatAt, beatColumns, beatColumnsOf, beatFrom, beatValues } from './beat-columns.ts';
import { textArray } from './binary-array.ts';
import type { Row } from './row-values.ts';
import { bigintAt, lsnAt, numberAt, textAt } from './row-values.ts';
import type { Call, Statement } from './session.ts';
import { formatLsn } from './wal-message.ts';

interface PartitionId {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  readonly partition: number;
}

/**
 * Rows are locked in the order of the primary key, so that two appliers do not wait for each other. Those of a region
 * that was closed move no more.
 */
export const movePositions: Statement = {
  name: 'isthmus_positions_move',
  text: `WITH standing AS (UPDATE isthmus.position SET applied = moved.applied, next_offset = moved.next_offset
    FROM unnest($2::text[]::bigint[], $3::text[]::bigint[], $4::text[]::int[], $5::text[]::pg_lsn[],
      $6::text[]::pg_lsn[], $7::text[]::bigint[])
      AS moved (counter, nonce, partition, expected, applied, next_offset)
    WHERE ${isRowOf('moved')} AND position.applied = moved.expected AND NOT position.closed RETURNING 1)
  SELECT isthmus.fence(cardinality($4::text[]) - count(*)) FROM standing`,
};

/** What the statement above fails with where a position is not at its `expected`: nothing behind it is carried out. */
export const fencedState = 'IS001';

const movedBeat =
  'ROW(moved.beat, moved.beat_lsn, moved.beat_at, moved.beat_count, moved.beat_end)::isthmus.counted_beat';

/** Where an open dead letter lies before the beat, it is noted as the newest that has come, and the one before the oldest is settled. */
export const settlePositions: Statement = {
  name: 'isthmus_positions_settle',
  text: `UPDATE isthmus.position SET
    settled = greatest(settled, least(applied, open.oldest - 1)),
    beat = CASE WHEN moved.beat IS NULL AND open.oldest IS NULL THEN position.beat
      WHEN open.oldest IS NULL OR open.oldest > moved.beat_end THEN ${movedBeat}
      ELSE coalesce(open.beat_before, position.beat) END,
    newest_beat = CASE WHEN open.oldest IS NULL THEN NULL WHEN moved.beat IS NULL THEN position.newest_beat
      ELSE ${movedBeat} END
  FROM unnest($2::text[]::bigint[], $3::text[]::bigint[], $4::text[]::int[], ${beatArrays(5)})
    AS moved (counter, nonce, partition, beat, beat_lsn, beat_at, beat_count, beat_end)
  LEFT JOIN LATERAL (SELECT lsn AS oldest, beat_before FROM isthmus.dead_letter AS letter WHERE letter.origin = $1
    AND letter.incarnation_counter = moved.counter AND letter.incarnation_nonce = moved.nonce
    AND letter.partition = moved.partition AND letter.closed_at IS NULL ORDER BY lsn, index LIMIT 1) AS open ON true
  WHERE ${isRowOf('moved')}`,
};

const positionColumns = `origin, incarnation_counter, incarnation_nonce, partition, applied::text, settled::text,
  next_offset, ${beatColumns('beat')}`;

export const selectPositions: Statement = {
  name: 'isthmus_positions',
  text: `SELECT ${positionColumns} FROM isthmus.position WHERE origin = $1
  ORDER BY incarnation_counter, incarnation_nonce, partition`,
};

export const selectAllPositions: Statement = {
  name: 'isthmus_positions_all',
  text: `SELECT ${positionColumns} FROM isthmus.position
  ORDER BY origin, incarnation_counter, incarnation_nonce, partition`,
};

const insertPosition: Statement = {
  name: 'isthmus_position_insert',
  text: `INSERT INTO isthmus.position
  (origin, incarnation_counter, incarnation_nonce, partition, applied, settled, next_offset, beat, closed)
  VALUES ($1, $2, $3, $4, $5::pg_lsn, $6::pg_lsn, $7,
    CASE WHEN $8::bigint IS NULL THEN NULL ELSE ${beatFrom(8)} END, ${isClosed('$1')}) ON CONFLICT DO NOTHING`,
};

/** Also for rows that are opened later: a closed region stays so. Locked, so that whoever closes it waits for the row. */
export function isClosed(region: string): string {
  return `EXISTS (SELECT FROM isthmus.retired WHERE retired.region = ${region} FOR SHARE)`;
}

function isRowOf(moved: string): string {
  return `position.origin = $1 AND position.incarnation_counter = ${moved}.counter
    AND position.incarnation_nonce = ${moved}.nonce AND position.partition = ${moved}.partition`;
}

export function move({ origin, positions }: ApplyTransaction): Call {
  for (const { applied, expected } of positions) {
    assert(applied > expected, 'a position must move forward');
  }
  const moves = inOrder(positions);
  return [
    movePositions,
    origin,
    ...partitionArrays(moves),
    textArray(moves.map(({ expected }) => formatLsn(expected))),
    textArray(moves.map(({ applied }) => formatLsn(applied))),
    textArray(moves.map(({ nextOffset }) => nextOffset.toString())),
  ];
}

/** After the dead letters of the same transaction are stored. */
export function settle({ origin, positions }: ApplyTransaction): Call {
  const moves = inOrder(positions);
  return [
    settlePositions,
    origin,
    ...partitionArrays(moves),
    ...beatColumnsOf(moves.map(({ beat }) => beat)),
  ];
}

/** In the order of the primary key. */
function inOrder(positions: readonly PositionMove[]): readonly PositionMove[] {
  return positions.toSorted(
    (a, b) =>
      a.incarnation.counter - b.incarnation.counter ||
      a.incarnation.nonce - b.incarnation.nonce ||
      a.partition - b.partition,
  );
}

/** Counters, nonces and partitions, each a text array. */
export function partitionArrays(of: readonly Pick<PositionMove, 'incarnation' | 'partition'>[]): Buffer[] {
  return [
    textArray(of.map(({ incarnation }) => `${incarnation.counter}`)),
    textArray(of.map(({ incarnation }) => `${incarnation.nonce}`)),
    textArray(of.map(({ partition }) => `${partition}`)),
  ];
}

export function insert(row: PositionRow): Call {
  return [
    insertPosition,
    row.origin,
    row.incarnation.counter,
    row.incarnation.nonce,
    row.partition,
    formatLsn(row.applied),
    formatLsn(row.settled),
    row.nextOffset.toString(),
    ...beatValues(row.beat),
  ];
}

export function positionOf(row: Row): PositionRow {
  return {
    ...partitionOf(row),
    applied: lsnAt(row, 4),
    settled: lsnAt(row, 5),
    nextOffset: bigintAt(row, 6),
    beat: beatAt(row, 7),
  };
}

function partitionOf(row: Row): PartitionId {
  return {
    origin: regionAt(row, 0),
    incarnation: incarnationAt(row, 1),
    partition: numberAt(row, 3),
  };
}

export function regionAt(row: Row, column: number): RegionId {
  const region = parseRegionId(textAt(row, column));
  assert(region !== null, `column ${column} is no region`);
  return region;
}

/** From two columns, counter and nonce. */
export function incarnationAt(row: Row, column: number): Incarnation {
  return { counter: numberAt(row, column), nonce: numberAt(row, column + 1) };
}

/**
 * How far each partition of each origin has come (P4). The compare-and-set of `applied` is the fence against a second,
 * stale applier: it comes first in the transaction and everything else falls with it. `settled` is computed in the
 * same transaction, after the position row is locked, and never goes back.
 */
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import type { ApplyTransaction, PositionRow } from '../../ports/record-store.ts';
import { assert } from '../../errors.ts';
import { parseRegionId } from '../../ports/identity.ts';
import { beatAt, beatColumns, beatFrom, beatValues } from './beat-columns.ts';
import type { Row } from './row-values.ts';
import { bigintAt, lsnAt, numberAt, textAt } from './row-values.ts';
import type { Call, Statement, Value } from './session.ts';
import { formatLsn } from './wal-message.ts';

export interface PartitionId {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  readonly partition: number;
}

const ofPartition = 'origin = $1 AND incarnation_counter = $2 AND incarnation_nonce = $3 AND partition = $4';

export const movePosition: Statement = {
  name: 'isthmus_position_move',
  text: `UPDATE isthmus.position SET applied = $6::pg_lsn, next_offset = $7
  WHERE ${ofPartition} AND applied = $5::pg_lsn`,
};

/** The beat is left behind where an open dead letter lies before it. */
export const settlePosition: Statement = {
  name: 'isthmus_position_settle',
  text: `UPDATE isthmus.position SET
    settled = greatest(settled, least(applied, open.oldest - 1)),
    beat = CASE WHEN $5::bigint IS NULL OR open.oldest <= $9::pg_lsn THEN beat ELSE ${beatFrom(5)} END
  FROM (SELECT min(lsn) AS oldest FROM isthmus.dead_letter WHERE ${ofPartition} AND closed_at IS NULL) AS open
  WHERE ${ofPartition}`,
};

export const selectPositions: Statement = {
  name: 'isthmus_positions',
  text: `SELECT origin, incarnation_counter, incarnation_nonce, partition, applied::text, settled::text, next_offset,
  ${beatColumns('beat')} FROM isthmus.position WHERE origin = $1
  ORDER BY incarnation_counter, incarnation_nonce, partition`,
};

const insertPosition: Statement = {
  name: 'isthmus_position_insert',
  text: `INSERT INTO isthmus.position
  (origin, incarnation_counter, incarnation_nonce, partition, applied, settled, next_offset, beat)
  VALUES ($1, $2, $3, $4, $5::pg_lsn, $6::pg_lsn, $7,
    CASE WHEN $8::bigint IS NULL THEN NULL ELSE ${beatFrom(8)} END) ON CONFLICT DO NOTHING`,
};

export function partitionValues(id: PartitionId): Value[] {
  const { counter, nonce } = id.incarnation;
  return [id.origin, counter, nonce, id.partition];
}

/** No row answers where the position is not at `expected`. */
export function move(transaction: ApplyTransaction): Call {
  assert(transaction.applied > transaction.expected, 'a position must move forward');
  return [
    movePosition,
    ...partitionValues(transaction),
    formatLsn(transaction.expected),
    formatLsn(transaction.applied),
    transaction.nextOffset.toString(),
  ];
}

/** After the dead letters of the same transaction are stored. */
export function settle(transaction: ApplyTransaction): Call {
  return [settlePosition, ...partitionValues(transaction), ...beatValues(transaction.beat)];
}

export function insert(row: PositionRow): Call {
  return [
    insertPosition,
    ...partitionValues(row),
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

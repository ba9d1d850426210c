/** Lives whose region has not given yet what it holds of the lives before (P9), in SQL. */
import { type Life, type RegionId, sameLife } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import type { RaiseTransaction } from '../../ports/transfer-store.ts';
import type { Vector } from '../../ports/vector.ts';
import { ungivenLives } from '../ungiven-lives.ts';
import { textArray } from './binary-array.ts';
import { incarnationAt, regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import type { Call, Statement } from './session.ts';
import { vectorFrom, vectorValues } from './vector-columns.ts';

/**
 * Before their rows are opened. A life counts that has a position and is not awaited. Takes `vectorValues`, and a job where
 * the lives are awaited only if that has refused a state.
 */
const insertUncounted: Statement = {
  name: 'isthmus_awaited_insert_uncounted',
  text: `INSERT INTO isthmus.awaited_past (region, incarnation_counter, incarnation_nonce)
  SELECT DISTINCT region, counter, nonce FROM ${vectorFrom(1)} WHERE NOT EXISTS (
    SELECT FROM isthmus.position WHERE origin = entry.region
      AND (incarnation_counter > entry.counter
        OR incarnation_counter = entry.counter AND incarnation_nonce = entry.nonce)
      AND NOT EXISTS (SELECT FROM isthmus.awaited_past AS known WHERE known.region = origin
        AND known.incarnation_counter = position.incarnation_counter
        AND known.incarnation_nonce = position.incarnation_nonce))
    AND ($6::bigint IS NULL OR EXISTS (SELECT FROM isthmus.transfer_refused WHERE transfer = $6))
  ORDER BY region, counter, nonce ON CONFLICT DO NOTHING`,
};

/** What a later life gives holds what the ones before it would have given; a state that was refused is not given. */
const deleteGiven: Statement = {
  name: 'isthmus_awaited_delete_given',
  text: `DELETE FROM isthmus.awaited_past USING unnest($1::text[], $2::text[]::bigint[]) AS given (region, counter)
  WHERE awaited_past.region = given.region AND incarnation_counter <= given.counter
    AND NOT EXISTS (SELECT FROM isthmus.transfer_refused WHERE transfer_refused.transfer = $3)`,
};

export const selectAwaited: Statement = {
  name: 'isthmus_awaited',
  text: `SELECT region, incarnation_counter, incarnation_nonce FROM isthmus.awaited_past
  ORDER BY region, incarnation_counter`,
};

/** In the transaction that opens the position at a start, before it is opened. */
export function awaitLater({
  origin: region,
  incarnation,
  partition,
  applied: lsn,
}: PositionRow): readonly Call[] {
  return awaitUncounted(ungivenLives([{ region, incarnation, partition, lsn }], []), null);
}

/** In the transaction that raises positions, before the first one is opened. */
export function awaitUngiven({ region, job, vector, given }: RaiseTransaction): readonly Call[] {
  const ungiven = ungivenLives(vector, given);
  const others = ungivenLives(vector, []).filter((entry) => entry.region !== region);
  return [
    ...awaitUncounted(ungiven, null),
    ...awaitUncounted(
      others.filter((entry) => !ungiven.includes(entry)),
      job,
    ),
  ];
}

function awaitUncounted(lives: Vector, ifRefusedBy: number | null): readonly Call[] {
  return lives.length === 0 ? [] : [[insertUncounted, ...vectorValues(lives), ifRefusedBy]];
}

/** In the same transaction, before the refused states are forgotten. */
export function awaitNoMore({ given, job }: Pick<RaiseTransaction, 'given' | 'job'>): Call {
  const regions = given.map(({ region }) => region);
  const counters = given.map(({ incarnation }) => `${incarnation.counter}`);
  return [deleteGiven, textArray(regions), textArray(counters), job];
}

export function lifeAt(row: Row, first: number): Life {
  return { region: regionAt(row, first), incarnation: incarnationAt(row, first + 1) };
}

/** In order, each once. */
export function regionsOf(rows: readonly Row[]): readonly RegionId[] {
  return [...new Set(rows.map((row) => regionAt(row, 0)))];
}

export function isOneOf(lives: readonly Life[], life: Life): boolean {
  return lives.some((each) => sameLife(each, life));
}

/** Lives whose region has not given yet what it holds of the lives before (P9), in SQL. */
import { type Life, type RegionId, sameLife } from '../../ports/identity.ts';
import { incarnationAt, regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import type { Call, Statement } from './session.ts';
import { vectorFrom } from './vector-columns.ts';

const insertLife: Statement = {
  name: 'isthmus_awaited_insert',
  text: `INSERT INTO isthmus.awaited_past (region, incarnation_counter, incarnation_nonce) VALUES ($1, $2, $3)
  ON CONFLICT DO NOTHING`,
};

/**
 * What a later life gives holds what the ones before it would have given; a state that was refused is not given. Takes
 * `vectorValues`, and the transfer's number.
 */
export const deleteAwaited: Statement = {
  name: 'isthmus_awaited_delete',
  text: `DELETE FROM isthmus.awaited_past USING isthmus.transfer WHERE transfer.id = $6 AND awaited_past.region = donor
    AND incarnation_counter <= (SELECT max(counter) FROM ${vectorFrom(1)} WHERE entry.region = donor)
    AND NOT EXISTS (SELECT FROM isthmus.transfer_refused WHERE transfer_refused.transfer = $6)`,
};

export const selectAwaited: Statement = {
  name: 'isthmus_awaited',
  text: `SELECT region, incarnation_counter, incarnation_nonce FROM isthmus.awaited_past
  ORDER BY region, incarnation_counter`,
};

export function awaitLife({ region, incarnation }: Life): Call {
  return [insertLife, region, incarnation.counter, incarnation.nonce];
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

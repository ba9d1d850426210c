/** Pasts that are whole here (P9), in SQL. */
import type { RaiseTransaction } from '../../ports/transfer-store.ts';
import type { WholePast } from '../../ports/vector.ts';
import { textArray } from './binary-array.ts';
import { regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { numberAt } from './row-values.ts';
import type { Call, Statement } from './session.ts';

/** Of which no change lies aside: what was put aside is in the records of others, and not in those here. */
export const wholeFrom = `isthmus.whole_past AS whole WHERE NOT EXISTS (SELECT FROM isthmus.position
    WHERE origin = whole.region AND incarnation_counter < whole.before_counter AND settled < applied)`;

export const selectWhole: Statement = {
  name: 'isthmus_whole_pasts',
  text: `SELECT region, before_counter FROM ${wholeFrom} ORDER BY region`,
};

/** A state of the transfer that was refused is not here. */
const insertWhole: Statement = {
  name: 'isthmus_whole_pasts_raise',
  text: `INSERT INTO isthmus.whole_past AS old (region, before_counter)
  SELECT region, counter FROM unnest($1::text[], $2::text[]::bigint[]) AS given (region, counter)
  WHERE NOT EXISTS (SELECT FROM isthmus.transfer_refused WHERE transfer_refused.transfer = $3)
  ON CONFLICT (region) DO UPDATE SET before_counter = greatest(old.before_counter, excluded.before_counter)`,
};

/** In the transaction that raises positions, before the refused states are forgotten. */
export function raiseWhole({ whole, job }: Pick<RaiseTransaction, 'whole' | 'job'>): readonly Call[] {
  if (whole.length === 0) return [];
  const regions = whole.map(({ region }) => region);
  const counters = whole.map(({ before }) => `${before}`);
  return [[insertWhole, textArray(regions), textArray(counters), job]];
}

/** From a region and a counter in the columns from `first` on. */
export function wholeAt(row: Row, first: number): WholePast {
  return { region: regionAt(row, first), before: numberAt(row, first + 1) };
}

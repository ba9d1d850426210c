/**
 * Beats as columns: how the composite `isthmus.counted_beat` is written from parameters and read from a row. A beat
 * that is absent is a null in every parameter, and reads as `null`.
 */
import type { CountedBeat } from '../../ports/change.ts';
import { textArray } from './binary-array.ts';
import type { Row } from './row-values.ts';
import { lsnAt, nullableAt, numberAt } from './row-values.ts';
import { formatLsn } from './wal-message.ts';

/** Parameters for `beatFrom`: number, lsn, atMs, count, end. */
export function beatValues(beat: CountedBeat | null): (string | number | null)[] {
  if (beat === null) return [null, null, null, null, null];
  return [beat.number, formatLsn(beat.lsn), beat.atMs, beat.count, formatLsn(beat.end)];
}

/** SQL of the arrays that `beatColumnsOf` makes, the first of which is `$first`. */
export function beatArrays(first: number): string {
  return ['bigint', 'pg_lsn', 'float8', 'bigint', 'pg_lsn']
    .map((type, offset) => `$${first + offset}::text[]::${type}[]`)
    .join(', ');
}

/** Of many beats, a text array for each of the five columns. */
export function beatColumnsOf(beats: readonly (CountedBeat | null)[]): Buffer[] {
  const rows = beats.map(beatValues);
  return [0, 1, 2, 3, 4].map((column) => textArray(rows.map((values) => asText(values[column]))));
}

function asText(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : `${value}`;
}

/** SQL of a beat whose five parameters start at `$first`. */
export function beatFrom(first: number): string {
  const [number, lsn, at, count, end] = [0, 1, 2, 3, 4].map((offset) => `$${first + offset}`);
  return `ROW(${number}::bigint, ${lsn}::pg_lsn, ${at}::double precision, ${count}::bigint, ${end}::pg_lsn)::isthmus.counted_beat`;
}

/** SQL that selects the five columns of a composite. */
export function beatColumns(beat: string): string {
  return ['number', 'lsn', 'at_ms', 'count', 'end_lsn'].map((column) => `(${beat}).${column}`).join(', ');
}

/** The beat in the five columns from `first` on; the number's column is null where there is none. */
export function beatAt(row: Row, first: number): CountedBeat | null {
  if (row[first] === null) return null;
  return {
    number: numberAt(row, first),
    lsn: lsnAt(row, first + 1),
    atMs: numberAt(row, first + 2),
    count: nullableAt(row, first + 3, numberAt),
    end: lsnAt(row, first + 4),
  };
}

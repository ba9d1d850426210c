/** Vectors as columns: five arrays in parameters, five columns in rows. */
import type { Vector, VectorEntry } from '../../ports/vector.ts';
import { textArray } from './binary-array.ts';
import { incarnationAt, regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { lsnAt, numberAt } from './row-values.ts';
import { formatLsn } from './wal-message.ts';

/** Parameters for `vectorFrom`; in the order of the primary keys, so that rows are locked in one order. */
export function vectorValues(vector: Vector): Buffer[] {
  const sorted = vector.toSorted(compare);
  const column = (read: (entry: VectorEntry) => string): Buffer => textArray(sorted.map(read));
  return [
    column(({ region }) => region),
    column(({ incarnation }) => `${incarnation.counter}`),
    column(({ incarnation }) => `${incarnation.nonce}`),
    column(({ partition }) => `${partition}`),
    column(({ lsn }) => formatLsn(lsn)),
  ];
}

/** SQL of a table `(region, counter, nonce, partition, lsn)` whose five parameters start at `$first`. */
export function vectorFrom(first: number): string {
  const [region, counter, nonce, partition, lsn] = [0, 1, 2, 3, 4].map((offset) => `$${first + offset}`);
  return `unnest(${region}::text[], ${counter}::text[]::bigint[], ${nonce}::text[]::bigint[],
    ${partition}::text[]::int[], ${lsn}::text[]::pg_lsn[]) AS entry (region, counter, nonce, partition, lsn)`;
}

/** SQL that is true where a row of `table` is that of `entry`; `region` names the table's column. */
export function isEntryOf(table: string, region: string): string {
  return `${table}.${region} = entry.region AND ${table}.incarnation_counter = entry.counter
    AND ${table}.incarnation_nonce = entry.nonce AND ${table}.partition = entry.partition`;
}

/** From region, counter, nonce, partition and LSN in the columns from `first` on. */
export function entryAt(row: Row, first: number): VectorEntry {
  return {
    region: regionAt(row, first),
    incarnation: incarnationAt(row, first + 1),
    partition: numberAt(row, first + 3),
    lsn: lsnAt(row, first + 4),
  };
}

function compare(a: VectorEntry, b: VectorEntry): number {
  if (a.region !== b.region) return a.region < b.region ? -1 : 1;
  return (
    a.incarnation.counter - b.incarnation.counter ||
    a.incarnation.nonce - b.incarnation.nonce ||
    a.partition - b.partition
  );
}

/** Takes `vectorValues` from $1 on; entries of the table only grow. */
export function raiseIn(table: string): string {
  return `INSERT INTO ${table} AS old (region, incarnation_counter, incarnation_nonce, partition, lsn)
  SELECT region, counter, nonce, partition, lsn FROM ${vectorFrom(1)}
  ON CONFLICT (region, incarnation_counter, incarnation_nonce, partition)
    DO UPDATE SET lsn = excluded.lsn WHERE old.lsn < excluded.lsn`;
}

/** The rows of one origin, in the order in which they are told. Pure. */
import type { Lsn } from '../../ports/change.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { PositionMove, PositionRow } from '../../ports/record-store.ts';

export type Place = Pick<PositionRow, 'incarnation' | 'partition'>;

export function isRowOf(row: Place, { incarnation, partition }: Place): boolean {
  return row.partition === partition && sameIncarnation(row.incarnation, incarnation);
}

export function inOrder(a: Place, b: Place): number {
  return (
    a.incarnation.counter - b.incarnation.counter ||
    a.incarnation.nonce - b.incarnation.nonce ||
    a.partition - b.partition
  );
}

/** `oldest` is where the oldest open dead letter lies. */
export function moved(
  row: PositionRow,
  { applied, beat, nextOffset }: Pick<PositionMove, 'applied' | 'beat' | 'nextOffset'>,
  oldest: Lsn | null,
): PositionRow {
  const reach = oldest === null || oldest > applied ? applied : oldest - 1n;
  const covers = beat !== null && (oldest === null || oldest > beat.end);
  return {
    origin: row.origin,
    incarnation: row.incarnation,
    partition: row.partition,
    applied,
    settled: reach > row.settled ? reach : row.settled,
    beat: covers ? beat : row.beat,
    nextOffset,
  };
}

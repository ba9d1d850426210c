/** The rows of one origin, in the order in which they are told. Pure. */
import { sameIncarnation } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';

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

/** Picks the position that counts out of the rows of one origin: that of its newest incarnation. */
import type { PositionRow } from '../ports/record-store.ts';

export function newestPosition(rows: readonly PositionRow[], partition: number): PositionRow | null {
  let newest: PositionRow | null = null;
  for (const row of rows) {
    if (row.partition !== partition) continue;
    if (newest === null || row.incarnation.counter > newest.incarnation.counter) newest = row;
  }
  return newest;
}

/** Lives whose region has not given yet what it holds of the lives before (P9), in memory. */
import { type Life, type RegionId, sameIncarnation, sameLife } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import type { MemoryTable } from './table.ts';

export interface AwaitingTables {
  readonly awaited: MemoryTable<Life>;
  readonly positions: MemoryTable<readonly PositionRow[]>;
}

export function isAwaited(awaited: MemoryTable<Life>, life: Life): boolean {
  for (const each of awaited.values()) if (sameLife(each, life)) return true;
  return false;
}

/** In order, each once. */
export function awaitedRegions(awaited: MemoryTable<Life>): readonly RegionId[] {
  return [...new Set([...awaited.values()].map(({ region }) => region))].toSorted();
}

/** In a transaction, before a row of it is opened. A life counts that has a position and is not awaited. */
export function awaitUncounted({ awaited, positions }: AwaitingTables, life: Life): void {
  const { region, incarnation } = life;
  const isIncluded = (row: PositionRow): boolean =>
    row.incarnation.counter > incarnation.counter || sameIncarnation(row.incarnation, incarnation);
  const counts = (row: PositionRow): boolean =>
    isIncluded(row) && !isAwaited(awaited, { region, incarnation: row.incarnation });
  if ((positions.get(region) ?? []).some(counts)) return;
  awaited.put(`${region} ${incarnation.counter} ${incarnation.nonce}`, { region, incarnation });
}

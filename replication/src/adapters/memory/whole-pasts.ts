/** Pasts that are whole here (P9), in memory. */
import type { WholePast } from '../../ports/vector.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryTable } from './table.ts';

/** Of which no change lies aside: what was put aside is in the records of others, and not in those here. */
export function wholePasts({
  whole,
  positions,
}: Pick<MemoryRecordStore['tables'], 'whole' | 'positions'>): readonly WholePast[] {
  const isAside = ({ region, before }: WholePast): boolean =>
    (positions.get(region) ?? []).some(
      ({ incarnation, settled, applied }) => incarnation.counter < before && settled < applied,
    );
  return [...whole.values()]
    .filter((past) => !isAside(past))
    .toSorted((a, b) => (a.region < b.region ? -1 : 1));
}

/** In a transaction. */
export function raiseWhole(table: MemoryTable<WholePast>, { region, before }: WholePast): void {
  const known = table.get(region);
  if (known === undefined || known.before < before) table.put(region, { region, before });
}

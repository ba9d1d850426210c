/**
 * From the position rows of one origin to `k`, the newest of its beats settled here in all partitions, and to the
 * settled vector. Only the newest incarnation among the rows counts; where one of its partitions has no position or
 * no settled beat yet, nothing is claimed. Every partition carries every beat, so the least over the partitions is a
 * beat that all of them have passed.
 */
import type { CountedBeat, Lsn } from '../ports/change.ts';
import { type Incarnation, sameIncarnation } from '../ports/identity.ts';
import type { PositionRow } from '../ports/record-store.ts';

export interface SettledPositions {
  readonly incarnation: Incarnation;
  readonly settled: readonly Lsn[];
  /** `k`; `null`: some partition has settled no beat yet. */
  readonly beat: CountedBeat | null;
}

/** `null`: not every partition of the newest incarnation has a position. */
export function settledPositions(
  rows: readonly PositionRow[],
  partitionCount: number,
): SettledPositions | null {
  const incarnation = newestIncarnation(rows);
  if (incarnation === null) return null;
  const byPartition = new Map<number, PositionRow>();
  for (const row of rows)
    if (sameIncarnation(row.incarnation, incarnation)) byPartition.set(row.partition, row);
  const ordered: PositionRow[] = [];
  for (let partition = 0; partition < partitionCount; partition++) {
    const row = byPartition.get(partition);
    if (row === undefined) return null;
    ordered.push(row);
  }
  const settled = ordered.map((row) => row.settled);
  return { incarnation, settled, beat: leastBeat(ordered) };
}

function newestIncarnation(values: readonly { readonly incarnation: Incarnation }[]): Incarnation | null {
  let newest: Incarnation | null = null;
  for (const { incarnation } of values)
    if (newest === null || incarnation.counter > newest.counter) newest = incarnation;
  return newest;
}

function leastBeat(rows: readonly PositionRow[]): CountedBeat | null {
  let least: CountedBeat | null = null;
  for (const { beat } of rows) {
    if (beat === null) return null;
    if (least === null || beat.number < least.number) least = beat;
  }
  return least;
}

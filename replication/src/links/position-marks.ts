/**
 * What the positions of one origin say as a whole. Only the newest incarnation counts, and only where every partition
 * has a position: the least of them is what has arrived for certain.
 */
import type { CountedBeat, Lsn } from '../ports/change.ts';
import type { Incarnation } from '../ports/identity.ts';
import type { Mark } from '../ports/incident-store.ts';
import type { PositionRow } from '../ports/record-store.ts';

/** How far all partitions have come. */
export interface Applied {
  readonly incarnation: Incarnation;
  readonly applied: Lsn;
}

/** `null` where a partition has no position. */
export function leastApplied(rows: readonly PositionRow[], partitionCount: number): Applied | null {
  const [first, ...others] = newestLife(rows, partitionCount);
  if (first === undefined) return null;
  const applied = others.reduce((least, row) => (row.applied < least ? row.applied : least), first.applied);
  return { incarnation: first.incarnation, applied };
}

/** The newest beat of the origin that is settled in all partitions; `null`: none is. */
export function settledMark(rows: readonly PositionRow[], partitionCount: number): Mark | null {
  const life = newestLife(rows, partitionCount);
  const [first] = life;
  let least: CountedBeat | null = null;
  for (const { beat } of life) {
    if (beat === null) return null;
    if (least === null || beat.number < least.number) least = beat;
  }
  if (first === undefined || least === null) return null;
  return { incarnation: first.incarnation, beat: least.number, count: least.count };
}

/** Empty where a partition has no position. */
function newestLife(rows: readonly PositionRow[], partitionCount: number): readonly PositionRow[] {
  const counter = rows.reduce((newest, { incarnation }) => Math.max(newest, incarnation.counter), 0);
  const newest = rows.filter(({ incarnation }) => incarnation.counter === counter);
  return newest.length < partitionCount ? [] : newest;
}

/**
 * How far a region reaches, from what it reads of its own database (P6). What a snapshot has surely shown and what it
 * may have shown are two vectors: the former is promised, the latter is what others have to wait for. Pure.
 */
import type { Lsn } from './ports/change.ts';
import { type Incarnation, type RegionId, sameIncarnation } from './ports/identity.ts';
import type { PositionRow } from './ports/record-store.ts';
import type { Standing } from './ports/transfer-store.ts';
import type { Vector, WholePast } from './ports/vector.ts';
import { greatestOf, outside } from './vector.ts';

export interface Self {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly partitionCount: number;
}

/** Nothing beyond this is in what was read under the standing. */
export function upperBound(
  self: Self,
  { applied, ahead, insertLsn }: Pick<Standing, 'applied' | 'ahead' | 'insertLsn'>,
): Vector {
  return greatestOf([...applied, ...ownEntries(self, insertLsn)], ahead);
}

/** The part of `upperBound` that somebody has to settle who has all that is shown of these pasts. */
export function boundBeside(
  self: Self,
  standing: Pick<Standing, 'applied' | 'ahead' | 'insertLsn'>,
  whole: readonly WholePast[],
): Vector {
  return upperBound(self, { ...standing, ahead: outside(standing.ahead, whole) });
}

/** The same position in every own partition. */
export function ownEntries({ region, incarnation, partitionCount }: Self, lsn: Lsn): Vector {
  return Array.from({ length: partitionCount }, (_, partition) => ({ region, incarnation, partition, lsn }));
}

/** Without the entries of the own incarnation, whose changes are all here. */
export function othersIn(
  vector: Vector,
  { region, incarnation }: Pick<Self, 'region' | 'incarnation'>,
): Vector {
  return vector.filter(
    (entry) => entry.region !== region || !sameIncarnation(entry.incarnation, incarnation),
  );
}

/** How far the partition of that life is applied in which it is furthest; `null`: none is open. */
export function furthestOf(
  rows: readonly Pick<PositionRow, 'incarnation' | 'applied'>[],
  incarnation: Incarnation,
): Lsn | null {
  const applied = rows
    .filter((row) => sameIncarnation(row.incarnation, incarnation))
    .map((row) => row.applied);
  return applied.reduce<Lsn | null>((most, lsn) => (most === null || lsn > most ? lsn : most), null);
}

/**
 * Comparing and joining vectors. The least of two reaches only where both reach, the greatest wherever one does, so
 * the former is what two readings together prove and the latter is what they may hold (P6). Pure.
 */
import type { Vector, VectorEntry, WholePast } from './ports/vector.ts';

export function leastOf(a: Vector, b: Vector): Vector {
  const others = byPlace(b);
  return a.flatMap((entry) => {
    const other = others.get(placeOf(entry));
    if (other === undefined) return [];
    return [other.lsn < entry.lsn ? other : entry];
  });
}

export function greatestOf(a: Vector, b: Vector): Vector {
  if (b.length === 0) return a;
  const joined = byPlace(a);
  for (const entry of b) {
    const known = joined.get(placeOf(entry));
    if (known === undefined || known.lsn < entry.lsn) joined.set(placeOf(entry), entry);
  }
  return [...joined.values()];
}

/** The first entry of `demand` that `vector` does not reach; `null`: it reaches all. */
export function lacking(vector: Vector, demand: Vector): VectorEntry | null {
  if (demand.length === 0) return null;
  const reached = byPlace(vector);
  const missing = demand.find((entry) => (reached.get(placeOf(entry))?.lsn ?? 0n) < entry.lsn);
  return missing ?? null;
}

/** The part of `vector` that lies beyond `other`. */
export function beyond(vector: Vector, other: Vector): Vector {
  const reached = byPlace(other);
  return vector.filter((entry) => (reached.get(placeOf(entry))?.lsn ?? 0n) < entry.lsn);
}

/** Without the lives that one of these pasts holds. */
export function outside(vector: Vector, whole: readonly WholePast[]): Vector {
  if (whole.length === 0) return vector;
  return vector.filter(({ region, incarnation }) =>
    whole.every((past) => past.region !== region || incarnation.counter >= past.before),
  );
}

/** Same text for the same partition of the same incarnation. */
export function placeOf({ region, incarnation, partition }: Omit<VectorEntry, 'lsn'>): string {
  return `${region} ${incarnation.counter} ${incarnation.nonce} ${partition}`;
}

function byPlace(vector: Vector): Map<string, VectorEntry> {
  return new Map(vector.map((entry) => [placeOf(entry), entry]));
}

/**
 * Where a state goes that a transfer has refused: a dead letter takes a place among the changes of an origin, and
 * `settled` stays before it. It is put just beyond where each partition stood that the transfer raises, because any of
 * them may be what brought it. Where none is raised, the log has brought all that it holds and the state came from
 * elsewhere: from a life of the donor before, of which no log speaks. Then the donor's newest life stops where it stands.
 */
import type { Lsn } from '../ports/change.ts';
import type { RegionId } from '../ports/identity.ts';
import type { VectorEntry } from '../ports/vector.ts';

/** An entry of the donor's vector, beside how far the receiver has applied it. */
export interface Reached {
  readonly entry: VectorEntry;
  readonly applied: Lsn;
}

/** Of a state in this partition: where it is put. */
export function refusedPlaces(
  reached: readonly Reached[],
  of: { readonly partition: number; readonly donor: RegionId | null },
): readonly VectorEntry[] {
  const here = reached.filter(({ entry }) => entry.partition === of.partition);
  const raised = here.filter(({ entry, applied }) => applied < entry.lsn);
  const newest = here
    .filter(({ entry }) => entry.region === of.donor)
    .toSorted((a, b) => b.entry.incarnation.counter - a.entry.incarnation.counter)
    .slice(0, 1);
  return (raised.length > 0 ? raised : newest).map(({ entry, applied }) => ({ ...entry, lsn: applied + 1n }));
}

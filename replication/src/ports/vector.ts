/**
 * How far something reaches in the logs of all regions: one LSN for each partition of each incarnation. A partition
 * that is not named is reached nowhere. Plain values; what is done with them is in `vector.ts` above.
 */
import type { Lsn } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';

export interface VectorEntry {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly partition: number;
  readonly lsn: Lsn;
}

/** Each partition of an incarnation at most once, in any order. */
export type Vector = readonly VectorEntry[];

/**
 * Whatever any region shows of this region's lives before that counter is here too: what they wrote beyond is nowhere, so
 * no position of them will ever cover what transfers may have brought (P9). At most one of each region.
 */
export interface WholePast {
  readonly region: RegionId;
  readonly before: number;
}

/** What peers say of regions that they have closed for good. Every call is bounded in time. */
import type { RegionId } from './identity.ts';
import type { Vector } from './vector.ts';

export interface RetirementWitness {
  /** Regions that the peer takes no change of any more; `null`: no answer. */
  closedAt(peer: RegionId): Promise<readonly RegionId[] | null>;
}

export interface FinalWitness {
  /** Up to where the peer keeps what a retired region wrote (F); `null`: no answer, or nothing was agreed on. */
  finalOf(peer: RegionId, region: RegionId): Promise<Vector | null>;
}

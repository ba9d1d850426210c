/** What peers say of regions that they have closed for good. Every call is bounded in time. */
import type { RegionId } from './identity.ts';

export interface RetirementWitness {
  /** Regions that the peer takes no change of any more; `null`: no answer. */
  closedAt(peer: RegionId): Promise<readonly RegionId[] | null>;
}

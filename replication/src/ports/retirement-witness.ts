/**
 * What peers say of regions that they have closed for good. Every call is bounded in time. None rejects for a peer or a
 * link: no answer is `null`.
 */
import type { RegionId } from './identity.ts';
import type { Agreement } from './retirement-store.ts';
import type { Vector } from './vector.ts';

/** What one survivor has to say on the end of a region that it has closed. */
export interface RetirementWord {
  /** Itself and its peers, without those that it has closed, in order of name. */
  readonly survivors: readonly RegionId[];
  /** How far it has the region's changes. */
  readonly position: Vector;
  /** Whom it would have as heir; `null`: it was told nobody. */
  readonly wish: RegionId | null;
  /** What the survivors agreed on; `null`: it does not know of it. */
  readonly agreed: Agreement | null;
}

export interface RetirementWitness {
  /** Regions that the peer takes no change of any more; `null`: no answer. */
  closedAt(peer: RegionId): Promise<readonly RegionId[] | null>;
  /** `null`: no answer, or the peer has not closed that region. */
  wordOf(peer: RegionId, region: RegionId): Promise<RetirementWord | null>;
}

export interface FinalWitness {
  /** Up to where the peer keeps what a retired region wrote (F); `null`: no answer, or nothing was agreed on. */
  finalOf(peer: RegionId, region: RegionId): Promise<Vector | null>;
}

/** A region that is drained or filled anew, as operators read it. */
import type { PeerProgress } from '@isthmus/replication/ports/beat-store';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Refill, RefillState } from '@isthmus/replication/ports/refill-store';
export interface DrainedPeer {
  readonly region: RegionId;
  /** Everything that this region ever acknowledged has settled there; `null`: not heard. */
  readonly hasAll: boolean | null;
}
export interface RefillView {
  readonly donor: RegionId;
  readonly state: RefillState;
  /** Lives whose changes may be lost. */
  readonly accepted: readonly string[];
  readonly detail: string;
  readonly wantedAt: string;
  readonly endedAt: string | null;
}
/** `beat`: before it all own writes lie; `null`: they may still be under way. */
export declare function drainedPeers(
  told: readonly PeerProgress[],
  peers: readonly RegionId[],
  beat: number | null,
): readonly DrainedPeer[];
export declare function refillView(refill: Refill | null): RefillView | null;
//# sourceMappingURL=region-view.d.ts.map

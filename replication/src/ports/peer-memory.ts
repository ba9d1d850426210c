/** What peers remember of this region: the newest of its beats that they have received. Every call is bounded in time. */
import type { Incarnation, RegionId } from './identity.ts';

export interface RememberedBeat {
  readonly incarnation: Incarnation;
  readonly number: number;
}

export interface PeerMemory {
  /** `nothing`: it has never heard of us. `null`: no answer. */
  rememberedBy(peer: RegionId): Promise<RememberedBeat | 'nothing' | null>;
}

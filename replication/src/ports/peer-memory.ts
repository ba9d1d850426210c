/**
 * What peers remember of this region: the newest of its beats that they have received. Every call is bounded in time.
 * It never rejects for a peer or a link: no answer is `null`.
 */
import type { Lsn } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';

export interface RememberedBeat {
  readonly incarnation: Incarnation;
  readonly number: number;
  /** As the beat itself said; `null`: a peer of an earlier version does not tell. */
  readonly made: { readonly lsn: Lsn; readonly atMs: number } | null;
  /** How far it has applied that life in the partition where it is furthest; `null`: nothing of it, or it does not tell. */
  readonly applied: Lsn | null;
}

export interface PeerMemory {
  /** `nothing`: it has never heard of us. `null`: no answer. */
  rememberedBy(peer: RegionId): Promise<RememberedBeat | 'nothing' | null>;
}

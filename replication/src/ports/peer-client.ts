/**
 * Requests to a peer's admin listener. A request travels on the link from caller to callee, its answer carries the
 * newest beat of the caller that the callee holds: an echo on a path of its own, without which a one-way cut makes
 * ticks and echoes go old together (P7). Every call is bounded in time. None rejects for a peer or a link: no answer is
 * `null`, or a digest that is missing.
 */
import type { RegionId } from './identity.ts';
import type { Mark } from './incident-store.ts';

export interface PeerEcho {
  /** Newest beat of ours that the peer had received; `null`: none. */
  readonly echoedBeat: number | null;
  /** How long ago our changes last moved the peer's positions in all partitions; `null`: it cannot tell. */
  readonly changesAgeMs: number | null;
  /**
   * The newest beat of the peer's own that its relay has counted, or where none is, in a life that is not its first, the
   * newest or the first to come (count `null`); `null`: it has never written, or cannot tell.
   */
  readonly written: Mark | null;
  /** Whether the caller is among the peers that it is configured with; `null`: it does not say, as an earlier version. */
  readonly namesCaller: boolean | null;
}

export interface PeerClient {
  /** `null`: no answer within the bound. */
  ping(peer: RegionId): Promise<PeerEcho | null>;
  /**
   * Digest of what the peer holds of each collection, by its name, without those of which it says nothing: it has
   * none of that name, or did not answer within the bound of each. Ends at once when the signal is aborted.
   */
  digests(
    peer: RegionId,
    collections: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>;
}

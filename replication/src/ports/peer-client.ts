/**
 * Requests to a peer's admin listener. A request travels on the link from caller to callee, its answer carries the
 * newest beat of the caller that the callee holds: an echo on a path of its own, without which a one-way cut makes
 * ticks and echoes go old together (P7). Every call is bounded in time.
 */
import type { RegionId } from './identity.ts';

export interface PeerEcho {
  /** Newest beat of ours that the peer had received; `null`: none. */
  readonly echoedBeat: number | null;
}

export interface PeerClient {
  /** `null`: no answer within the bound. */
  ping(peer: RegionId): Promise<PeerEcho | null>;
}

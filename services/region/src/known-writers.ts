/**
 * Who writes now, as far as this process knows it: itself, peers under the actors that were heard last, and nobody of a
 * region that was closed. It asks nobody, so what it says may be a second old.
 */
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import type { Actor, RegionId } from '@isthmus/replication/ports/identity';
import type { PeerActors } from './peer-actors.ts';
import type { Writers } from './records/rights.ts';

export class KnownWriters implements Writers {
  readonly self: Actor;
  readonly #retirement: Pick<OwnRetirement, 'closed'>;
  readonly #peers: Pick<PeerActors, 'find'>;

  constructor(self: Actor, retirement: Pick<OwnRetirement, 'closed'>, peers: Pick<PeerActors, 'find'>) {
    this.self = self;
    this.#retirement = retirement;
    this.#peers = peers;
  }

  get closed(): ReadonlySet<RegionId> {
    return new Set(this.#retirement.closed);
  }

  actorOf(region: RegionId): Actor | null {
    const found = this.#peers.find(region);
    return found.kind === 'known' ? found.actor : null;
  }
}

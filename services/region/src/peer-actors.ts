/**
 * From the name of a region to the actor under which it writes now, for what is handed to a peer. The actor is that of
 * the newest incarnation from which something has arrived here, so nothing is ever handed to one that does not exist.
 * A peer that was restored and has not been heard since is still known by its former incarnation; no region can know
 * better without asking.
 */
import { type Actor, type Incarnation, type RegionId, actorOf } from '@isthmus/replication/ports/identity';
import type { FigureReader } from '@isthmus/replication/progress/figures';

export type FoundPeer =
  | { readonly kind: 'known'; readonly actor: Actor }
  /** Configured, but nothing has arrived from it yet. */
  | { readonly kind: 'unheard' }
  /** Not a peer; these are. */
  | { readonly kind: 'none'; readonly peers: readonly RegionId[] };

export class PeerActors {
  readonly #peers: readonly RegionId[];
  readonly #figures: Pick<FigureReader, 'last'>;

  constructor(peers: readonly RegionId[], figures: Pick<FigureReader, 'last'>) {
    this.#peers = peers;
    this.#figures = figures;
  }

  find(name: string): FoundPeer {
    const region = this.#peers.find((peer) => peer === name);
    if (region === undefined) return { kind: 'none', peers: this.#peers };
    const incarnation = this.#newestIncarnation(region);
    return incarnation === null
      ? { kind: 'unheard' }
      : { kind: 'known', actor: actorOf(region, incarnation) };
  }

  #newestIncarnation(region: RegionId): Incarnation | null {
    const figures = this.#figures.last?.peers.find(({ peer }) => peer === region);
    const heard = figures?.heard?.incarnation ?? null;
    const applied = figures?.positions?.incarnation ?? null;
    if (heard === null || applied === null) return heard ?? applied;
    return heard.counter >= applied.counter ? heard : applied;
  }
}

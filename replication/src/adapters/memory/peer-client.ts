/** Asks peers whose tables are in the same memory which of our beats they hold, as their admin listeners answer. */
import type { BeatStore } from '../../ports/beat-store.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../../ports/identity.ts';
import type { PeerClient, PeerEcho } from '../../ports/peer-client.ts';

export class MemoryPeerClient implements PeerClient {
  readonly #self: { readonly region: RegionId; readonly incarnation: Incarnation };
  readonly #peers: ReadonlyMap<RegionId, Pick<BeatStore, 'heard'>>;

  constructor(
    self: { readonly region: RegionId; readonly incarnation: Incarnation },
    peers: ReadonlyMap<RegionId, Pick<BeatStore, 'heard'>>,
  ) {
    this.#self = self;
    this.#peers = peers;
  }

  async ping(peer: RegionId): Promise<PeerEcho | null> {
    const { region, incarnation } = this.#self;
    const beats = this.#peers.get(peer);
    if (beats === undefined) return null;
    const heard = (await beats.heard()).find(({ origin }) => origin === region);
    const isOurs = heard !== undefined && sameIncarnation(heard.incarnation, incarnation);
    return { echoedBeat: isOurs ? heard.beat.number : null };
  }
}

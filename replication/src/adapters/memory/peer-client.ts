/** Asks peers that live in the same memory, as their admin listeners answer over HTTP. */
import type { BeatStore } from '../../ports/beat-store.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../../ports/identity.ts';
import type { PeerClient, PeerEcho } from '../../ports/peer-client.ts';

/** What a peer answers from. */
export interface MemoryPeer {
  readonly incarnation: Incarnation;
  readonly beats: Pick<BeatStore, 'heard' | 'ownBeats'>;
  /** How long ago changes of the caller last moved its positions; `null`: it cannot tell. */
  readonly dataAgeMs: (caller: RegionId) => number | null;
  readonly digests: (collections: readonly string[]) => Promise<ReadonlyMap<string, string>>;
}

export class MemoryPeerClient implements PeerClient {
  readonly #self: { readonly region: RegionId; readonly incarnation: Incarnation };
  readonly #peers: ReadonlyMap<RegionId, MemoryPeer>;

  constructor(
    self: { readonly region: RegionId; readonly incarnation: Incarnation },
    peers: ReadonlyMap<RegionId, MemoryPeer>,
  ) {
    this.#self = self;
    this.#peers = peers;
  }

  async ping(peer: RegionId): Promise<PeerEcho | null> {
    const { region, incarnation } = this.#self;
    const asked = this.#peers.get(peer);
    if (asked === undefined) return null;
    const heard = (await asked.beats.heard()).find(({ origin }) => origin === region);
    const { newestCounted } = await asked.beats.ownBeats();
    const isOurs = heard !== undefined && sameIncarnation(heard.incarnation, incarnation);
    return {
      echoedBeat: isOurs ? heard.beat.number : null,
      changesAgeMs: asked.dataAgeMs(region),
      written: newestCounted && {
        incarnation: asked.incarnation,
        beat: newestCounted.number,
        count: newestCounted.count,
      },
    };
  }

  digests(peer: RegionId, collections: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#peers.get(peer)?.digests(collections) ?? Promise.resolve(new Map());
  }
}

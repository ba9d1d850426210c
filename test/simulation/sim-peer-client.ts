/**
 * Questions of one process to the admin listeners of its peers: a question travels on the link from caller to callee and
 * its answer on the same link, and what does not come in time is no answer.
 */
import { type MemoryPeer, MemoryPeerClient } from '@isthmus/replication/adapters/memory/peer-client';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { PeerClient, PeerEcho } from '@isthmus/replication/ports/peer-client';
import { furthestOf } from '@isthmus/replication/reach';
import type { PeerMemory, RememberedBeat } from '@isthmus/replication/ports/peer-memory';
import type { FeedWorld } from './sim-kafka.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';

const pingTimeoutMs = 1000;

export interface PeerWorld extends FeedWorld {
  /** Whether some process of the region answers on the admin listener. */
  readonly isServed: (region: RegionId) => boolean;
  /** How long ago data of the caller last moved anything there; `null`: nobody can tell. */
  readonly dataAgeMs: (region: RegionId, caller: RegionId) => number | null;
}

export interface PeerClientParts {
  readonly region: SimRegion;
  readonly incarnation: Incarnation;
  readonly process: SimProcess;
  readonly world: PeerWorld;
}

export class SimPeerClient implements PeerClient, PeerMemory {
  readonly #parts: PeerClientParts;
  readonly #inner: MemoryPeerClient;

  constructor(parts: PeerClientParts) {
    const { region, incarnation } = parts;
    this.#parts = parts;
    const peers = region.peers.map((peer) => [peer, this.#answering(peer)] as const);
    this.#inner = new MemoryPeerClient({ region: region.id, incarnation }, new Map(peers));
  }

  /** Nobody sweeps here. */
  digests(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }

  ping(peer: RegionId): Promise<PeerEcho | null> {
    return this.#ask(peer, () => this.#inner.ping(peer));
  }

  rememberedBy(peer: RegionId): Promise<RememberedBeat | 'nothing' | null> {
    const { region, world } = this.#parts;
    return this.#ask(peer, async () => {
      const heard = await world.regionOf(peer).beats.heard();
      const found = heard.find(({ origin }) => origin === region.id);
      if (found === undefined) return 'nothing';
      const { number, lsn, atMs } = found.beat;
      const { incarnation } = found;
      const rows = await world.regionOf(peer).records.positions(region.id);
      return { incarnation, number, made: { lsn, atMs }, applied: furthestOf(rows, incarnation) };
    });
  }

  #ask<T>(peer: RegionId, question: () => Promise<T | null>): Promise<T | null> {
    const { region, process, world } = this.#parts;
    const { scheduler } = world;
    const link = world.linkBetween(region.id, peer);
    const callee = world.regionOf(peer);
    return new Promise((resolve) => {
      const { epoch } = link;
      const silence = process.timer.after(pingTimeoutMs, () => resolve(null));
      scheduler.after(link.delayMs(), () => {
        const isServed = world.isServed(peer) && callee.postgres.isUp && !callee.postgres.isFrozen;
        if (link.isCut || !isServed) return;
        void question().then((answer) =>
          scheduler.after(link.delayMs(), () => {
            if (link.epoch !== epoch) return;
            process.hear(() => {
              silence();
              resolve(answer);
            });
          }),
        );
      });
    });
  }

  #answering(peer: RegionId): MemoryPeer {
    const region = this.#parts.world.regionOf(peer);
    return {
      get incarnation() {
        return region.identity.incarnation;
      },
      beats: region.beats,
      dataAgeMs: (caller) => this.#parts.world.dataAgeMs(peer, caller),
      digests: () => this.digests(),
    };
  }
}

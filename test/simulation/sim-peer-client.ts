/**
 * Questions of one process to the admin listeners of its peers: a question and its answer travel on the link from caller to
 * callee, which is the one that the callee reads the caller's log on (P7), and what does not come in time is no answer.
 */
import {
  type AskedStores,
  echoOf,
  type MemoryPeer,
  MemoryPeerClient,
  rememberedAt,
} from '@isthmus/replication/adapters/memory/peer-client';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { FeedWorld } from './sim-kafka.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';

export interface PeerWorld extends FeedWorld {
  /** Whether some process of the region answers on the admin listener. */
  readonly isServed: (region: RegionId) => boolean;
  /** A question of one of its processes has come to a peer, where somebody answers it or nobody does. */
  readonly onAsked: (asking: Asking) => void;
  /** How long ago data of the caller last moved anything there; `null`: nobody can tell. */
  readonly dataAgeMs: (region: RegionId, caller: RegionId) => number | null;
}

export interface Asking {
  readonly process: SimProcess;
  readonly from: RegionId;
  readonly to: RegionId;
  readonly isAnswered: boolean;
}

export interface PeerClientParts {
  readonly region: SimRegion;
  readonly incarnation: Incarnation;
  readonly process: SimProcess;
  readonly world: PeerWorld;
}

/** Only the way to the peers is of the simulator. */
export class SimPeerClient extends MemoryPeerClient {
  constructor({ region, incarnation, process, world }: PeerClientParts) {
    const across = (peer: RegionId): MemoryPeer => {
      const way = { from: region.id, to: peer, process, world };
      const asked = (): AskedStores => storesOf(peer, world);
      return {
        echo: (caller) => ask(way, () => echoOf(asked(), caller)),
        remembered: (caller) => ask(way, () => rememberedAt(asked(), caller)),
        // Nobody sweeps here.
        digest: () => Promise.resolve(null),
      };
    };
    const peers = new Map(region.peers.map((peer) => [peer, across(peer)]));
    super({ region: region.id, incarnation, peers, timer: process.timer });
  }
}

function storesOf(peer: RegionId, world: PeerWorld): AskedStores {
  const { identity, peers, beats } = world.regionOf(peer);
  const dataAgeMs = (caller: RegionId): number | null => world.dataAgeMs(peer, caller);
  return { incarnation: identity.incarnation, peers, beats, dataAgeMs };
}

interface Way {
  readonly from: RegionId;
  readonly to: RegionId;
  readonly process: SimProcess;
  readonly world: PeerWorld;
}

/** There and back; nothing comes where the way or the peer is not there. */
function ask<T>({ from, to, process, world }: Way, question: () => Promise<T>): Promise<T> {
  const { scheduler } = world;
  const link = world.linkBetween(to, from);
  const { postgres } = world.regionOf(to);
  return new Promise((resolve, reject) => {
    const { epoch } = link;
    const answer = (news: () => void): void =>
      void scheduler.after(link.delayMs(), () => {
        if (link.epoch === epoch) process.hear(news);
      });
    scheduler.after(link.delayMs(), () => {
      const isServed = world.isServed(to) && postgres.isUp && !postgres.isFrozen;
      const isAnswered = !link.isCut && isServed;
      world.onAsked({ process, from, to, isAnswered });
      if (!isAnswered) return;
      question().then(
        (given) => answer(() => resolve(given)),
        (reason: unknown) => answer(() => reject(reason)),
      );
    });
  });
}

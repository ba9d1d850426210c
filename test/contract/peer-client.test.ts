/** The contracts of `PeerClient` and `PeerMemory` over HTTP, in memory, and across the links of the simulator. */
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import {
  type AskedStores,
  echoOf,
  MemoryPeerClient,
  rememberedAt,
} from '@isthmus/replication/adapters/memory/peer-client';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { ReplicationError } from '@isthmus/replication/errors';
import { answerEcho, HttpPeerClient } from '@isthmus/region/peer-client';
import { z } from 'zod';
import { SimPeerClient } from '../simulation/sim-peer-client.ts';
import { AskedPeer } from './asked-peer.ts';
import { passing } from './manual-time.ts';
import { peerClientContract, self } from './peer-client.contract.ts';
import { peerMemoryContract } from './peer-memory.contract.ts';
import { PeerListener } from './peer-listener.ts';
import { region } from './record-store.contract.ts';
import { SimulatedPeers } from './simulated-peers.ts';

const us = region('us');
const incarnation = { counter: 3, nonce: 4 };
const never = <T>(): Promise<T> => new Promise(() => undefined);

/** The region us in memory, which can fail and fall silent. */
class Us {
  readonly stores: AskedStores;
  readonly asked: AskedPeer;
  readonly peers = [self.region];
  ageMs: number | null = null;
  isSilent = false;
  digestOf: (collection: string) => Promise<string | null> = async () => null;
  #isFailing = false;

  constructor() {
    const database = new MemoryDatabase({ nowMs: () => 1000 });
    const records = new MemoryRecordStore(database);
    const beats = new MemoryBeatStore(database, records, []);
    const from = async <T>(read: () => Promise<T>): Promise<T> => {
      if (this.#isFailing)
        throw new ReplicationError('database-unavailable', 'its database is down', { retriable: true });
      return read();
    };
    this.stores = {
      incarnation,
      peers: this.peers,
      beats: { overview: () => from(() => beats.overview()) },
      dataAgeMs: () => this.ageMs,
    };
    this.asked = new AskedPeer(incarnation, { beats, records }, () => {
      this.#isFailing = true;
    });
  }

  /** Unless it has fallen silent. */
  answer<T>(question: () => Promise<T>): Promise<T> {
    return this.isSilent ? never() : question();
  }
}

const collectionIn = z.object({ collection: z.string() });
const callerIn = z.object({ region: z.literal('eu') });

async function overHttp() {
  const peer = new Us();
  const { stores } = peer;
  const sources = { ...stores, region: us, links: { dataAgeMs: stores.dataAgeMs } };
  const listener = await PeerListener.begin((app) => {
    app.get('/v1/echo', (request) => {
      callerIn.parse(request.query);
      return peer.answer(() => answerEcho(sources, self.region));
    });
    app.get('/v1/digests/:collection', async (request, reply) => {
      const digest = await peer.digestOf(collectionIn.parse(request.params).collection);
      return digest === null ? reply.status(404).send() : { digest, records: 1, asOf: '' };
    });
  });
  const client = new HttpPeerClient({ ...self, admins: new Map([[us, listener.url]]) });
  return {
    ...groundOf(peer),
    client,
    memory: client,
    go: <T>(coming: Promise<T>) => coming,
    cut: () => listener.cut(),
    close: async () => {
      client.close();
      await listener.close();
    },
  };
}

async function inMemory() {
  const peer = new Us();
  const timer = new ManualTimer();
  const cuts = new Set<object>();
  const answer = <T>(question: () => Promise<T>): Promise<T> =>
    cuts.size > 0 ? never() : peer.answer(question);
  const answering = {
    echo: (caller: typeof self) => answer(() => echoOf(peer.stores, caller)),
    remembered: () => answer(() => rememberedAt(peer.stores, self.region)),
    digest: (collection: string) => peer.digestOf(collection),
  };
  const client = new MemoryPeerClient({ ...self, peers: new Map([[us, answering]]), timer });
  return {
    ...groundOf(peer),
    client,
    memory: client,
    go: <T>(coming: Promise<T>) => passing(timer, coming),
    cut: () => {
      const cut = {};
      cuts.add(cut);
      return () => cuts.delete(cut);
    },
    close: async () => undefined,
  };
}

function groundOf(peer: Us) {
  return {
    peer: us,
    asked: peer.asked,
    unname: () => {
      peer.peers.length = 0;
    },
    moved: (agoMs: number | null) => {
      peer.ageMs = agoMs;
    },
    digest: (digestOf: Us['digestOf']) => {
      peer.digestOf = digestOf;
    },
    hang: () => {
      peer.isSilent = true;
    },
  };
}

async function simulated() {
  const peers = new SimulatedPeers();
  let ageMs: number | null = null;
  const world = { ...peers.world, isServed: () => true, dataAgeMs: () => ageMs, onAsked: () => undefined };
  const asked = peers.regionOf(peers.peer);
  const client = new SimPeerClient({
    region: peers.regionOf(peers.own),
    incarnation: self.incarnation,
    process: peers.process,
    world,
  });
  return {
    client,
    memory: client,
    unname: null,
    peer: peers.peer,
    asked: new AskedPeer(asked.identity.incarnation, asked, () => asked.postgres.goDown()),
    moved: (agoMs: number | null) => {
      ageMs = agoMs;
    },
    digest: null,
    hang: () => asked.postgres.freeze(),
    go: <T>(coming: Promise<T>) => coming,
    cut: () => peers.cut(),
    close: () => peers.close(),
  };
}

for (const [name, begin] of [
  ['http', overHttp],
  ['memory', inMemory],
  ['the simulator', simulated],
] as const) {
  peerClientContract(name, begin);
  peerMemoryContract(name, begin);
}

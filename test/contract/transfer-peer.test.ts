/** The contract of `TransferPeer` over HTTP, in memory, and across the links of the simulator. */
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferPeer } from '@isthmus/replication/adapters/memory/transfer-peer';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';
import type { TransferRequest } from '@isthmus/replication/ports/transfer-peer';
import { addTransferRoutes } from '@isthmus/region/admin/transfer-routes';
import { HttpTransferPeer } from '@isthmus/region/transfer-peer';
import { SimTransferPeer } from '../simulation/sim-transfer.ts';
import { passing } from './manual-time.ts';
import { PeerListener } from './peer-listener.ts';
import { region } from './record-store.contract.ts';
import { SimulatedPeers } from './simulated-peers.ts';
import { type Answering, transferPeerContract } from './transfer-peer.contract.ts';

const us = region('us');

/** The donor of the peer that is asked. */
class AskedDonor {
  answer: Answering = async () => ({ kind: 'closed' });
}

transferPeerContract('http', async () => {
  const donor = new AskedDonor();
  const database = new MemoryDatabase({ nowMs: () => 1000 });
  // Operators ask for these, and no peer.
  const [jobs, verifications] = [new MemoryTransferJobs(database), new MemoryVerifications(database)];
  const asked = { answer: (request: TransferRequest) => donor.answer(request) };
  const parts = { donor: asked, jobs, verifications, peers: [], secret: '' };
  const listener = await PeerListener.begin((app) => addTransferRoutes(app, () => parts));
  const peer = new HttpTransferPeer({ admins: new Map([[us, listener.url]]), secret: '' });
  return {
    peer,
    region: us,
    answer: (answering) => {
      donor.answer = answering;
    },
    go: (coming) => coming,
    cut: () => listener.cut(),
    damage: () => listener.damage(),
    close: async () => {
      peer.close();
      await listener.close();
    },
  };
});

transferPeerContract('memory', async () => {
  const donor = new AskedDonor();
  const timer = new ManualTimer();
  const cuts = new Set<object>();
  return {
    peer: new MemoryTransferPeer(() => (cuts.size > 0 ? null : donor), timer),
    region: us,
    answer: (answering) => {
      donor.answer = answering;
    },
    go: (coming) => passing(timer, coming),
    cut: () => {
      const cut = {};
      cuts.add(cut);
      return () => cuts.delete(cut);
    },
    damage: null,
    close: async () => undefined,
  };
});

transferPeerContract('the simulator', async () => {
  const donor = new AskedDonor();
  const peers = new SimulatedPeers();
  const world = { ...peers.world, isHealing: true, donorOf: () => donor };
  return {
    peer: new SimTransferPeer(peers.own, peers.process, world),
    region: peers.peer,
    answer: (answering) => {
      donor.answer = answering;
    },
    go: (coming) => coming,
    cut: () => peers.cut(),
    damage: null,
    close: () => peers.close(),
  };
});

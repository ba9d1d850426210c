/** The contract of `RetirementWitness` and `FinalWitness` over HTTP and across the links of the simulator. */
import { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { ReplicationError } from '@isthmus/replication/errors';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import { addRetirementRoutes } from '@isthmus/region/admin/retirement-routes';
import { HttpPeerClient } from '@isthmus/region/peer-client';
import { SimAgendaStore } from '../simulation/sim-agenda.ts';
import { SimPostgres } from '../simulation/sim-postgres.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimRetirementWitness, SimRetiring } from '../simulation/sim-retirement.ts';
import { self } from './peer-client.contract.ts';
import { PeerListener } from './peer-listener.ts';
import { region } from './record-store.contract.ts';
import { retirementWitnessContract } from './retirement-witness.contract.ts';
import { SimulatedPeers } from './simulated-peers.ts';

const [eu, us, ap, sa] = [region('eu'), region('us'), region('ap'), region('sa')];
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What a survivor answers from; it can fail and fall silent. */
function fragile(inner: RetirementStore) {
  let state: 'sound' | 'failing' | 'silent' = 'sound';
  const from = <T>(read: () => Promise<T>): Promise<T> => {
    if (state === 'silent') return new Promise(() => undefined);
    if (state === 'sound') return read();
    return Promise.reject(new ReplicationError('database-unavailable', 'it is down', { retriable: true }));
  };
  const store: RetirementStore = {
    all: () => from(() => inner.all()),
    position: (of) => from(() => inner.position(of)),
    close: (...of) => from(() => inner.close(...of)),
    retire: (...of) => from(() => inner.retire(...of)),
  };
  const become = (next: typeof state) => () => {
    state = next;
  };
  return { store, fail: become('failing'), hang: become('silent') };
}

retirementWitnessContract('http', async () => {
  const database = new MemoryDatabase({ nowMs: () => 1000 });
  const records = new MemoryRecordStore(database);
  const retirements = new MemoryRetirementStore(database, records);
  const { store, fail, hang } = fragile(retirements);
  const witness = { wordOf: async () => null };
  const agreeing = new Agreeing({ region: us, peers: [eu, ap, sa], store, witness, logger: quiet });
  const incarnations = { closed: async () => [] };
  const parts = { self: us, peers: [eu, ap, sa], retirements: store, incarnations, agreeing };
  const listener = await PeerListener.begin((app) =>
    addRetirementRoutes(app, () => ({ ...parts, retirement: { isRetired: false } })),
  );
  const client = new HttpPeerClient({ ...self, admins: new Map([[us, listener.url]]) });
  return {
    witness: client,
    final: client,
    peer: us,
    retirements,
    records,
    fail,
    hang,
    go: (coming) => coming,
    cut: () => listener.cut(),
    close: async () => {
      client.close();
      await listener.close();
    },
  };
});

retirementWitnessContract('the simulator', async () => {
  const peers = new SimulatedPeers();
  const asked = peers.regionOf(us);
  const process = new SimProcess('us#0', peers.world);
  const nobody = { ...peers.world, retiringOf: () => null };
  const postgres = new SimPostgres(asked, process, peers.world);
  const { timer } = process;
  const agenda = new AgendaWatch({ store: new SimAgendaStore(postgres), timer, logger: quiet });
  const parts = { agenda, region: asked, process, postgres, world: nobody, logger: quiet };
  const retiring = new SimRetiring(parts);
  const world = { ...peers.world, retiringOf: () => retiring };
  const own = { region: peers.regionOf(eu), process: peers.process, world };
  const { retirements, records } = asked;
  return {
    witness: new SimRetirementWitness(own),
    final: null,
    peer: us,
    retirements,
    records,
    fail: () => asked.postgres.goDown(),
    hang: () => asked.postgres.freeze(),
    go: (coming) => coming,
    cut: () => peers.cut(),
    close: () => peers.close(),
  };
});

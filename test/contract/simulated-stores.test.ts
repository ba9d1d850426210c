/** The contracts of the stores on the simulator's own, each as one process of a region reaches it. */
import { expect } from 'vitest';
import { agendaStoreContract } from './agenda-store.contract.ts';
import { awaitedPastContract } from './awaited-past.contract.ts';
import { beatStoreContract, peers } from './beat-store.contract.ts';
import { conflictingRecordsContract } from './conflicting-records.contract.ts';
import { deadLetterStoreContract } from './dead-letter-store.contract.ts';
import { identityStoreContract } from './identity-store.contract.ts';
import { incarnationStoreContract } from './incarnation-store.contract.ts';
import { incidentStoreContract } from './incident-store.contract.ts';
import { drainStoreContract } from './drain-store.contract.ts';
import { joiningStoreContract } from './joining-store.contract.ts';
import { roleLockContract } from './role-lock.contract.ts';
import { slotKeeperContract } from './slot-keeper.contract.ts';
import { recordPositionsContract } from './record-positions.contract.ts';
import { append, record, recordStoreContract } from './record-store.contract.ts';
import { refillStoreContract } from './refill-store.contract.ts';
import { retirementStoreContract } from './retirement-store.contract.ts';
import { sessionStoreContract } from './session-store.contract.ts';
import { SimulatedRegion } from './simulated-region.ts';
import { tombstoneStoreContract } from './tombstone-store.contract.ts';
import { transferJobsContract } from './transfer-jobs.contract.ts';
import { transferRaisingContract } from './transfer-raising.contract.ts';
import { transferStoreContract } from './transfer-store.contract.ts';
import { verificationStoreContract } from './verification-store.contract.ts';

const name = 'the simulator';

/** A region with one process that has opened it. */
function opened() {
  const simulated = new SimulatedRegion();
  return { simulated, ...simulated.open(), close: () => simulated.close() };
}

type Process = ReturnType<SimulatedRegion['open']>;

async function write({ records }: Process, key: string): Promise<void> {
  await records.commitLocal(append([record(key)], 'x'));
}

for (const contract of [recordStoreContract, recordPositionsContract])
  contract(name, async () => {
    const { records: store, close } = opened();
    return { store, close };
  });

beatStoreContract(name, async () => {
  const simulated = new SimulatedRegion(peers);
  const { wal } = simulated.region.database;
  return {
    store: simulated.open().beats,
    other: simulated.open().beats,
    newcomer: () => simulated.open().beats.tryHold(),
    records: simulated.open().records,
    loseSlot: async () => {
      wal.createSlot();
      return wal.insert;
    },
    retire: (peer) => simulated.region.retirements.close(peer, null),
    setClockBack: async (byMs) => simulated.region.clock.jump(-byMs),
    close: () => simulated.close(),
  };
});

deadLetterStoreContract(name, async () => {
  const { simulated, deadLetters: letters, records, close } = opened();
  const age = async (ms: number): Promise<void> => simulated.region.clock.jump(ms);
  return { letters, records, age, close };
});

incidentStoreContract(name, async () => {
  const { simulated, incidents: store, close } = opened();
  const { incidents } = simulated.region;
  return { store, note: async (peer, conflicts) => incidents.note(peer, conflicts), close };
});

conflictingRecordsContract(name, async () => {
  const { deadLetters: letters, ...stores } = opened();
  return { ...stores, letters };
});

agendaStoreContract(name, async () => opened());
transferStoreContract(name, async () => opened());
transferRaisingContract(name, async () => opened());
transferJobsContract(name, async () => opened());
verificationStoreContract(name, async () => opened());
tombstoneStoreContract(name, async () => opened());
retirementStoreContract(name, async () => opened());
sessionStoreContract(name, async () => {
  const stores = opened();
  const startAnew = async (): Promise<void> => {
    stores.simulated.goDown();
    stores.simulated.comeUp();
  };
  return { ...stores, startAnew };
});
awaitedPastContract(name, async () => opened());

identityStoreContract(name, async () => {
  const simulated = new SimulatedRegion();
  const [first, second] = [simulated.open(), simulated.open()];
  const processOf = (process: Process) => ({ store: process.past, write: () => write(process, 'a') });
  return {
    one: processOf(first),
    two: processOf(second),
    beat: async () => {
      const hold = await first.beats.tryHold();
      await hold?.beat();
      await hold?.release();
    },
    restart: async () => {
      simulated.goDown();
      simulated.comeUp();
    },
    close: () => simulated.close(),
  };
});

incarnationStoreContract(name, async () => {
  const simulated = new SimulatedRegion();
  let process = simulated.open();
  return {
    store: process.incarnations,
    past: process.past,
    tombstones: process.tombstones,
    beats: () => process.beats,
    jobs: () => process.jobs,
    beat: async (count, aheadMs) => {
      const { clock } = simulated.region;
      clock.jump(aheadMs);
      const hold = (await process.beats.tryHold()) ?? expect.fail('nobody holds the beats');
      for (let written = 0; written < count; written++) await hold.beat();
      await hold.release();
      clock.jump(-aheadMs);
    },
    renew: async (promised, counter = 2) => {
      const claim = await process.past.noteClaim({ counter, nonce: 9 });
      await process.past.adopt({ claim, promised });
      process = simulated.open();
      return process.incarnations;
    },
    close: () => simulated.close(),
  };
});

refillStoreContract(name, async () => {
  const simulated = new SimulatedRegion();
  return {
    open: async () => {
      const process = simulated.open();
      const bring = async (key: string): Promise<void> =>
        void (await simulated.region.records.commitLocal(append([record(key)], 'x')));
      return { ...process, write: (key) => write(process, key), bring };
    },
    closeOne: async () => undefined,
    close: () => simulated.close(),
  };
});

joiningStoreContract(name, async () => {
  const simulated = new SimulatedRegion();
  return {
    open: async () => simulated.open().joining,
    restart: () => restart(simulated),
    close: () => simulated.close(),
  };
});

roleLockContract(name, async () => {
  const simulated = new SimulatedRegion();
  const [{ process, lock: one }, { lock: two }] = [simulated.open(), simulated.open()];
  const { postgres, database } = simulated.region;
  return {
    one,
    two,
    disconnect: async () => {
      postgres.cutConnections();
      database.disconnect();
    },
    stop: () => {
      process.stop();
      return () => process.goOn();
    },
    goDown: async () => {
      simulated.goDown();
      return () => comeUp(simulated);
    },
    close: () => simulated.close(),
  };
});

slotKeeperContract(name, async () => {
  const simulated = new SimulatedRegion();
  const [{ slots: one, source, records, past }, { slots: two }] = [simulated.open(), simulated.open()];
  return {
    one,
    two,
    source,
    write: async (key) => {
      const committed = await records.commitLocal(append([record(key)], 'x'));
      return committed?.end ?? expect.fail('it was written');
    },
    loseSlot: async () => simulated.region.database.wal.dropSlot(),
    renew: async () => {
      await past.adopt({ claim: await past.noteClaim({ counter: 2, nonce: 9 }), promised: null });
      return simulated.open().slots;
    },
    close: () => simulated.close(),
  };
});

drainStoreContract(name, async () => {
  const simulated = new SimulatedRegion();
  const { row } = simulated.region;
  return {
    open: async () => {
      const process = simulated.open();
      return { ...process, write: (key) => write(process, key) };
    },
    dateBack: async (byMs) => {
      const { drained } = row.row;
      if (drained !== null) row.change({ drained: { ...drained, sinceMs: drained.sinceMs - byMs } });
    },
    restart: () => restart(simulated),
    close: () => simulated.close(),
  };
});

/** Up again, and its own past. */
async function comeUp(simulated: SimulatedRegion): Promise<void> {
  simulated.comeUp();
  await simulated.open().past.accept();
}

async function restart(simulated: SimulatedRegion): Promise<void> {
  simulated.goDown();
  await comeUp(simulated);
}

/**
 * One region of the simulator for contract suites: its servers, and as many processes as are asked for, each with every
 * store as the engine in the simulator has it.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { IncidentStore } from '@isthmus/replication/ports/incident-store';
import { Oracle } from '../simulation/oracle.ts';
import { Random } from '../simulation/random.ts';
import { RegionClock } from '../simulation/region-clock.ts';
import { SimAgendaStore } from '../simulation/sim-agenda.ts';
import { SimPast } from '../simulation/sim-identity.ts';
import { SimIncidents } from '../simulation/sim-incidents.ts';
import { SimJoiningStore } from '../simulation/sim-joining.ts';
import { SimBeatStore } from '../simulation/sim-beats.ts';
import { SimDeadLetters, SimPostgres, SimRecordStore, SimRoleLock } from '../simulation/sim-postgres.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimRegion } from '../simulation/sim-region.ts';
import { SimRetirementStore } from '../simulation/sim-retirement.ts';
import { SimSeals } from '../simulation/sim-seals.ts';
import { SimSessionStore } from '../simulation/sim-sessions.ts';
import { SimChangeSource } from '../simulation/sim-source.ts';
import { SimTombstoneStore } from '../simulation/sim-tombstones.ts';
import {
  SimIncarnations,
  SimSlotKeeper,
  SimTransferJobs,
  SimTransferStore,
  SimVerifications,
} from '../simulation/sim-transfer.ts';
import { SimDrainStore, SimRefillStore } from '../simulation/sim-wishes.ts';
import { PassingTime } from './passing-time.ts';
import { region } from './record-store.contract.ts';

export class SimulatedRegion {
  readonly region: SimRegion;
  readonly #time = new PassingTime();
  /** Suites make up intervals and counts, so nobody asks what it holds of them. */
  readonly #oracle: Oracle;
  #opened = 0;

  constructor(peers: readonly RegionId[] = []) {
    const { scheduler } = this.#time;
    const nowMs = (): number => scheduler.nowMs;
    const id = region('eu');
    this.#oracle = new Oracle(nowMs, () => undefined);
    const identity = { region: id, incarnation: { counter: 1, nonce: 7 }, partitionCount: 4 };
    const clock = new RegionClock(nowMs, 0, 0);
    const seals = new SimSeals([{ region: id, key: 0 }]);
    this.region = new SimRegion(identity, peers, { clock, random: new Random(1), seals, isLogInside: false });
  }

  /** A process that opens the database now. */
  open() {
    const of = this.region;
    const { world } = this.#time;
    const process = new SimProcess(`eu#${this.#opened++}`, world);
    const postgres = new SimPostgres(of, process, world);
    return { process, postgres, ...storesOf(postgres, this.#oracle) };
  }

  /** Answers nothing until `comeUp`, and has lost what was not flushed. */
  goDown(): void {
    this.region.postgres.goDown();
    this.region.database.crash();
  }

  comeUp(): void {
    this.region.postgres.comeUp();
  }

  close(): Promise<void> {
    return this.#time.end();
  }
}

function storesOf(postgres: SimPostgres, oracle: Oracle) {
  const { region: of } = postgres;
  return {
    records: new SimRecordStore(postgres, oracle),
    beats: new SimBeatStore(postgres, oracle),
    deadLetters: new SimDeadLetters(postgres),
    incidents: incidentsOf(postgres),
    past: new SimPast({ postgres, onAdopted: (claim) => of.lives.began(claim) }),
    incarnations: new SimIncarnations(postgres),
    joining: new SimJoiningStore(postgres),
    drains: new SimDrainStore(postgres, () => of.postgres.cutConnections()),
    refills: new SimRefillStore(postgres),
    sessions: new SimSessionStore(postgres),
    lock: new SimRoleLock(postgres),
    transfers: new SimTransferStore(postgres, oracle),
    jobs: new SimTransferJobs(postgres),
    verifications: new SimVerifications(postgres),
    slots: new SimSlotKeeper(postgres),
    source: new SimChangeSource(postgres),
    tombstones: new SimTombstoneStore(postgres),
    retirements: new SimRetirementStore(postgres),
    agenda: new SimAgendaStore(postgres),
  };
}

/** What only people read has no request of its own in the simulator. */
function incidentsOf(postgres: SimPostgres): IncidentStore {
  const events = { seen: () => undefined, onStored: () => undefined, onDropped: () => undefined };
  const simulated = new SimIncidents(postgres, events);
  const { incidents } = postgres.region;
  return {
    open: () => simulated.open(),
    create: (incident) => simulated.create(incident),
    replace: (incident) => simulated.replace(incident),
    drop: (incident) => simulated.drop(incident),
    list: (query) => incidents.list(query),
    find: (number) => incidents.find(number),
    conflicts: (number) => incidents.conflicts(number),
  };
}

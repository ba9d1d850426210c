/** What a region consists of outside its processes: a database, a log, a clock, and the servers that they run on. */
import { MemoryAgendaStore } from '@isthmus/replication/adapters/memory/agenda-store';
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryChangeSource } from '@isthmus/replication/adapters/memory/change-source';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryDrainStore } from '@isthmus/replication/adapters/memory/drain-store';
import { MemoryEmptying } from '@isthmus/replication/adapters/memory/emptying';
import { MemoryIdentityRow } from '@isthmus/replication/adapters/memory/identity-row';
import { MemoryIdentityStore } from '@isthmus/replication/adapters/memory/identity-store';
import { MemoryIncidentStore } from '@isthmus/replication/adapters/memory/incident-store';
import { MemoryIncarnationStore } from '@isthmus/replication/adapters/memory/incarnation-store';
import { MemoryJoiningStore } from '@isthmus/replication/adapters/memory/joining-store';
import { MemoryLog } from '@isthmus/replication/adapters/memory/log';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemoryRefillStore } from '@isthmus/replication/adapters/memory/refill-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { MemoryRoleLock } from '@isthmus/replication/adapters/memory/role-lock';
import { MemorySessionStore } from '@isthmus/replication/adapters/memory/session-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { MemoryTombstoneStore } from '@isthmus/replication/adapters/memory/tombstone-store';
import { MemoryTransferJobs } from '@isthmus/replication/adapters/memory/transfer-jobs';
import { MemoryTransferStore } from '@isthmus/replication/adapters/memory/transfer-store';
import { MemoryVerifications } from '@isthmus/replication/adapters/memory/verifications';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import { LogReach } from './log-reach.ts';
import { type Life, PastLives } from './past-lives.ts';
import type { RegionClock } from './region-clock.ts';
import type { SimSeals } from './sim-seals.ts';
import { SimServer } from './sim-server.ts';
import type { Random } from './random.ts';
import { UntoldBeats } from './untold-beats.ts';

export interface RegionIdentity {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly partitionCount: number;
}

export class SimRegion {
  readonly id: RegionId;
  readonly partitionCount: number;
  readonly peers: readonly RegionId[];
  readonly clock: RegionClock;
  readonly database: MemoryDatabase;
  readonly records: MemoryRecordStore;
  readonly beats: MemoryBeatStore;
  readonly source: MemoryChangeSource;
  readonly lock: MemoryRoleLock;
  readonly slots: MemorySlotKeeper;
  readonly row: MemoryIdentityRow;
  readonly transfers: MemoryTransferStore;
  readonly jobs: MemoryTransferJobs;
  readonly tombstones: MemoryTombstoneStore;
  readonly retirements: MemoryRetirementStore;
  readonly joining: MemoryJoiningStore;
  readonly verifications: MemoryVerifications;
  readonly incidents = new MemoryIncidentStore();
  /** Of each peer the life in which it last told its progress here. */
  readonly toldLives = new Map<RegionId, Incarnation>();
  readonly untold = new UntoldBeats();
  readonly incarnations: MemoryIncarnationStore;
  readonly refills: MemoryRefillStore;
  readonly drains: MemoryDrainStore;
  readonly agenda: MemoryAgendaStore;
  readonly #emptying: MemoryEmptying;
  readonly log = new MemoryLog();
  readonly reach: LogReach;
  readonly lives: PastLives;
  readonly sessions: MemorySessionStore;
  readonly postgres: SimServer;
  readonly kafka: SimServer;
  /** When it was destroyed for good, or given up; `null`: it is there. */
  goneAtMs: number | null = null;
  /** Its log lies in its database. */
  readonly isLogInside: boolean;
  /** Its database was once set back to an older copy, or emptied. */
  isSetBack = false;
  /** It takes writes though a peer had not said how far it holds the past: a region writes alone (I8). */
  hasLearntAlone = false;
  isLogGone = false;
  /** When something was taken out of its log last; `null`: never. */
  lostLogAtMs: number | null = null;
  /** The slot may have gone back behind every counted beat. */
  mayRecount = false;

  constructor(
    identity: RegionIdentity,
    peers: readonly RegionId[],
    of: {
      readonly clock: RegionClock;
      readonly random: Random;
      readonly seals: SimSeals;
      readonly isLogInside: boolean;
    },
  ) {
    this.id = identity.region;
    this.partitionCount = identity.partitionCount;
    this.reach = new LogReach(identity.region, of.seals);
    this.lives = new PastLives(identity, this.log, of.seals);
    this.peers = peers;
    this.clock = of.clock;
    this.database = new MemoryDatabase({ nowMs: () => of.clock.nowMs() });
    this.records = new MemoryRecordStore(this.database);
    this.beats = new MemoryBeatStore(this.database, this.records, peers);
    this.row = new MemoryIdentityRow(this.database, identity.incarnation);
    this.source = new MemoryChangeSource(this.database);
    this.lock = new MemoryRoleLock(this.database);
    this.slots = new MemorySlotKeeper(this.database);
    const { database, records, beats, slots } = this;
    this.jobs = new MemoryTransferJobs(database);
    const { jobs } = this;
    this.transfers = new MemoryTransferStore({
      database,
      records,
      beats,
      slots,
      jobs,
      refill: () => this.refills.standing,
    });
    this.retirements = new MemoryRetirementStore(database, records);
    this.joining = new MemoryJoiningStore(database);
    this.tombstones = new MemoryTombstoneStore({ database, records, horizon: this.transfers.horizon });
    this.verifications = new MemoryVerifications(database);
    const { row, transfers, verifications, joining } = this;
    this.refills = new MemoryRefillStore({ database, identity: row, records });
    this.drains = new MemoryDrainStore({ database, identity: row, beats, refills: this.refills });
    this.incarnations = new MemoryIncarnationStore(database, records, this.refills);
    const { refills, incarnations, retirements } = this;
    this.sessions = new MemorySessionStore({
      database,
      identity: row,
      records,
      beats,
      incarnations,
      retirements,
    });
    this.agenda = new MemoryAgendaStore(this);
    this.#emptying = new MemoryEmptying({ records, transfers, verifications, jobs, joining, refills });
    this.isLogInside = of.isLogInside;
    this.postgres = new SimServer(`${identity.region}.postgres`, of.random.split('postgres'));
    this.kafka = of.isLogInside
      ? this.postgres
      : new SimServer(`${identity.region}.kafka`, of.random.split('kafka'));
  }

  get isGone(): boolean {
    return this.goneAtMs !== null;
  }

  get hasLostLog(): boolean {
    return this.lostLogAtMs !== null;
  }

  /** What its database is now. */
  get identity(): RegionIdentity {
    return { region: this.id, incarnation: this.row.row.incarnation, partitionCount: this.partitionCount };
  }

  /** What peers know it to be: also where its database was set back behind the beginning of that life. */
  get knownAs(): Life {
    return this.lives.isSetBack(this.row.row.incarnation) ? this.lives.last : this.identity;
  }

  /** Its database takes writes, as far as the identity goes: it is its own past and knows it. */
  get isItself(): boolean {
    return this.row.isProvenNow && !this.incarnations.isClosedToWrites;
  }

  /** The same, and nothing of its past is left to be learnt. */
  get isWhole(): boolean {
    return this.isItself && !this.incarnations.isRelearning;
  }

  /** An operator has asked something of it that is not carried out or taken back. */
  async isAsked(): Promise<boolean> {
    const refill = await this.refills.find();
    const isRefilling = refill !== null && refill.state !== 'done' && refill.state !== 'refused';
    return isRefilling || this.row.row.drained !== null;
  }

  /** As a process that starts now knows it. */
  open(): MemoryIdentityStore {
    const { database, row: identity, records, beats, slots, incarnations, jobs, tombstones } = this;
    const ground = { database, identity, records, beats, slots, incarnations, jobs, tombstones };
    return new MemoryIdentityStore({ ...ground, emptying: this.#emptying });
  }
}

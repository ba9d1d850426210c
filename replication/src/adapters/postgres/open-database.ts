/**
 * Opens a region's database: makes it ready where it is fresh, refuses it where it is another region's or cannot
 * serve, and joins the adapters that live on it. Opening needs a database that answers; afterwards it may come and go
 * as it likes, and every call says for itself whether it could be served.
 */
import type { RegionId } from '../../ports/identity.ts';
import type { RoleLock } from '../../ports/role-lock.ts';
import type { SlotKeeper } from '../../ports/slot-keeper.ts';
import type { SlotHealth } from '../../ports/slot-health.ts';
import type { Stores } from '../../ports/stores.ts';
import { PostgresAgendaStore } from './agenda-store.ts';
import { PostgresBeatStore } from './beat-store.ts';
import { bootstrap, requirePartitionCount } from './bootstrap.ts';
import { Connections, type PoolUse } from './connections.ts';
import { DatabaseClock } from './database-clock.ts';
import { PostgresDeadLetterStore } from './dead-letter-store.ts';
import { PostgresDrainStore } from './drain-store.ts';
import type { Identity } from './identity-row.ts';
import { PostgresIncarnationStore } from './incarnation-store.ts';
import { PostgresIncidentStore } from './incident-store.ts';
import { PostgresIdentityStore } from './identity-store.ts';
import { PostgresRecordStore } from './record-store.ts';
import { defaultSlotName, slotHealth } from './relay-slot.ts';
import { PostgresRefillStore } from './refill-store.ts';
import { PostgresRetirementStore } from './retirement-store.ts';
import { PostgresRoleLock } from './role-lock.ts';
import { PostgresJoiningStore } from './joining-store.ts';
import { PostgresSessionStore } from './session-store.ts';
import { PostgresSlotKeeper } from './slot-life.ts';
import { PostgresTombstoneStore } from './tombstone-store.ts';
import { PostgresTransferJobs } from './transfer-jobs.ts';
import { PostgresTransferStore } from './transfer-store.ts';
import { PostgresVerifications } from './verifications.ts';

const defaultPartitionCount = 8;
const defaultMaxConnections = 10;

export interface DatabaseConfig {
  /** `postgres://user:password@host:port/database` */
  readonly connectionString: string;
  readonly region: RegionId;
  readonly peers: readonly RegionId[];
  /** For a fresh database, 1 to 1024; an existing one keeps its own. Default 8. */
  readonly partitionCount?: number;
  /** Two regions on one server need two names. Default `isthmus_relay`. */
  readonly slotName?: string;
  /** Of the pool; the relay's replication connection is not among them. Default 10. */
  readonly maxConnections?: number;
  /** For a region without a log of its own, which nothing can be compared with. Default false: a restart is proven. */
  readonly trustsRestarts?: boolean;
}

export interface Database extends Stores {
  readonly identity: Identity;
  /** What works but should be looked at, in sentences for an operator. */
  readonly warnings: readonly string[];
  readonly lock: RoleLock;
  readonly slots: SlotKeeper;
  /** Read once already; whoever runs the region calibrates it regularly. */
  readonly clock: DatabaseClock;
  readonly poolUse: () => PoolUse;
  readonly slotHealth: () => Promise<SlotHealth>;
  /** Waits for running calls. A hold on the beats must have been released. */
  close(): Promise<void>;
}

/**
 * Rejects with `database-unavailable` or `overloaded` (both retriable), `database-misconfigured` (says what to
 * change), `identity-mismatch` (another region's database) or `slot-held` (a fresh database whose slot is in use).
 */
export async function openDatabase(config: DatabaseConfig): Promise<Database> {
  const { connectionString, region, peers } = config;
  const partitionCount = config.partitionCount ?? defaultPartitionCount;
  const slotName = config.slotName ?? defaultSlotName;
  const maxConnections = config.maxConnections ?? defaultMaxConnections;
  requirePartitionCount(partitionCount);
  const { identity, warnings } = await bootstrap({ connectionString, region, partitionCount, slotName });
  const trustsRestarts = config.trustsRestarts ?? false;
  const pool = { connectionString, maxConnections, trustsRestarts };
  const connections = new Connections(pool, identity.incarnation);
  const clock = new DatabaseClock(connections);
  try {
    await clock.calibrate();
  } catch (error) {
    await connections.close();
    throw error;
  }
  return {
    identity,
    warnings,
    records: new PostgresRecordStore(connections),
    beats: new PostgresBeatStore(connections, { incarnation: identity.incarnation, peers }),
    deadLetters: new PostgresDeadLetterStore(connections),
    incidents: new PostgresIncidentStore(connections),
    past: new PostgresIdentityStore(connections, slotName),
    incarnations: new PostgresIncarnationStore(connections),
    joining: new PostgresJoiningStore(connections),
    drains: new PostgresDrainStore(connections),
    refills: new PostgresRefillStore(connections),
    sessions: new PostgresSessionStore(connections),
    lock: new PostgresRoleLock(connections),
    transfers: new PostgresTransferStore(connections),
    jobs: new PostgresTransferJobs(connections),
    verifications: new PostgresVerifications(connections),
    slots: new PostgresSlotKeeper(connections, slotName),
    tombstones: new PostgresTombstoneStore(connections),
    retirements: new PostgresRetirementStore(connections),
    agenda: new PostgresAgendaStore(connections),
    clock,
    poolUse: () => connections.use,
    slotHealth: () => connections.read((session) => slotHealth(session, slotName)),
    close: () => connections.close(),
  };
}

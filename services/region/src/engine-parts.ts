/**
 * Builds the parts of the engine that every region has, whatever its database and its log are: what watches, what guards,
 * what takes writes. Each starts and ends with whoever asked for it.
 */
import { GuardWatch } from '@isthmus/replication/guard/guard-watch';
import { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import { OwnLogEvidence } from '@isthmus/replication/identity/own-log-evidence';
import { PeerEvidence } from '@isthmus/replication/identity/peer-evidence';
import type { IncarnationParts } from '@isthmus/replication/identity/relearning';
import { Journal, type JournalOptions } from '@isthmus/replication/journal/journal';
import { LinkWatch } from '@isthmus/replication/links/link-watch';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { actorOf } from '@isthmus/replication/ports/identity';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import { beatIntervalMs } from '@isthmus/replication/progress/beat-interval';
import { Refiller } from '@isthmus/replication/refill/refiller';
import { SessionDesk } from '@isthmus/replication/sessions/session-desk';
import { Donor } from '@isthmus/replication/transfer/donor';
import { randomInt, randomUUID } from 'node:crypto';
import { WriteGuards } from './api/write-guards.ts';
import type { Ground } from './ground.ts';
import { keyEnds } from './log-seals.ts';
import { RegionMetrics, type RegionMetricsOptions } from './metrics.ts';
import { RefusedRecords, type RefusedRecordsOptions } from './refused-records.ts';
import { readTombstones } from './tombstones.ts';
import { within } from './within.ts';

const maxWaitingEdits = 20_000;
const figuresTimeoutMs = 2000;
const nonceLimit = 2 ** 32;

export function createDonor({ database, timer, log: logger }: Ground): Donor {
  const { identity: self, transfers: store } = database;
  return new Donor({ self, store, timer, logger, newName: randomUUID });
}

export function watchLinks({ database, peers, timer, client }: Ground): LinkWatch {
  const { beats, records, identity } = database;
  const reading = { beats, records, partitionCount: identity.partitionCount, beatIntervalMs };
  return new LinkWatch({ peers, ...reading, client, timer });
}

/** Every process that takes writes decides for itself. */
export function watchGuards({ config, database, timer, peers }: Ground): GuardWatch {
  const { beats, clock } = database;
  const guards = new Map([...config.collections].map(([name, { guard }]) => [name, guard]));
  return new GuardWatch({ region: config.region, peers, guards, beats, clock, timer });
}

export function createMetrics(
  { config, database, peers, figures }: Ground,
  watched: Pick<RegionMetricsOptions, 'links' | 'troubles'>,
): RegionMetrics {
  const { identity, clock } = database;
  return new RegionMetrics({
    region: config.region,
    incarnation: identity.incarnation,
    peers,
    figures,
    clock,
    ...watched,
    slot: () => within(figuresTimeoutMs, database.slotHealth()),
    incidents: () => within(figuresTimeoutMs, database.incidents.open()),
    tombstones: () => within(figuresTimeoutMs, readTombstones(database.tombstones)),
    fates: () => within(figuresTimeoutMs, database.deadLetters.fates()),
    closedLetters: () => within(figuresTimeoutMs, database.deadLetters.countClosed()),
    verifications: () => within(figuresTimeoutMs, database.verifications.all()),
    openTransfers: async () => (await within(figuresTimeoutMs, database.jobs.open()))?.length ?? null,
    pool: database.poolUse,
    keyEnds: keyEnds(config),
    objectives: [],
  });
}

export function createRefused({ log: logger }: Ground, metrics: RegionMetrics): RefusedRecords {
  const onRefused: RefusedRecordsOptions['onRefused'] = ({ region, fault }) => metrics.refused(region, fault);
  return new RefusedRecords({ logger, nowMs: Date.now, onRefused });
}

export interface JournalParts {
  readonly metrics: RegionMetrics;
  readonly paceMs: JournalOptions['paceMs'];
}

export function createJournal({ database, timer }: Ground, { metrics, paceMs }: JournalParts): Journal {
  const { identity, records, clock } = database;
  const { region, incarnation } = identity;
  return new Journal({
    store: records,
    clock,
    actor: actorOf(region, incarnation),
    timer,
    maxWaitingEdits,
    paceMs,
    onBatch: (batch) => metrics.writeBatch(batch.records, batch.durationMs / 1000),
  });
}

export function createWriteGuards(
  { config, retirement, joining, draining }: Ground,
  { watch, metrics }: { readonly watch: GuardWatch; readonly metrics: RegionMetrics },
): WriteGuards {
  const onRefused = (collection: string) => metrics.guarded(collection);
  return new WriteGuards({ region: config.region, watch, retirement, joining, draining, onRefused });
}

export interface GuardParts {
  readonly metrics: RegionMetrics;
  readonly sink: ChangeSink;
  readonly incarnations: IncarnationParts;
}

/** Where the log lies in the database itself it goes back in time with it, and the peers testify; `null`: nobody can. */
export function createGuard(
  ground: Ground,
  { metrics, sink, incarnations }: GuardParts,
): IdentityGuard | null {
  const { log: logger, database, timer, peers, client: memory, retirement } = ground;
  const { identity: self, past, records } = database;
  const { ownLog: log, control, store } = incarnations;
  if (log === null && peers.length === 0) return null;
  const closed = () => retirement.closed;
  const shared = { self, peers, closed, memory, past, timer, logger };
  const prepareLog = () => sink.prepare(self.partitionCount);
  const isLearning = async () => (await store.relearning()) !== null;
  const evidence =
    log === null
      ? new PeerEvidence(shared)
      : new OwnLogEvidence({ ...shared, control, records, log, prepareLog, isLearning });
  const onRefused = () => metrics.identityRefused();
  return new IdentityGuard({
    ...shared,
    evidence,
    control,
    newNonce: () => randomInt(nonceLimit),
    onRefused,
    onProven: () => retirement.onWritable(),
  });
}

/** In every process that looks after the identity: whoever comes first goes on with it. */
export function createRefiller(
  ground: Ground,
  { keeper, transferPeer: peer }: { readonly keeper: IdentityGuard; readonly transferPeer: TransferPeer },
): Refiller {
  const { database, peers, timer, log: logger, agenda, draining, retirement } = ground;
  const { identity: self, transfers: store, past, refills, incarnations } = database;
  return new Refiller({
    self,
    peers,
    peer,
    store,
    incarnations,
    past,
    agenda,
    refills,
    draining,
    timer,
    logger,
    renew: () => keeper.renew(),
    confirmFirst: (confirm) => keeper.confirmFirst(confirm),
    isRenewing: () => keeper.state.kind === 'renewing' || keeper.state.kind === 'renewed',
    isRetired: () => retirement.isRetired,
  });
}

/** Without a key of their own, tokens are checked for damage and not for who made them. */
export function createSessions({ config, database, timer }: Ground): SessionDesk {
  const { identity: self, sessions: store } = database;
  const key = Buffer.from(config.sessionKey);
  return new SessionDesk({ self, store, key, timer });
}

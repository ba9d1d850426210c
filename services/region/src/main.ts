/**
 * The region process: the one place that joins configuration, engine and adapters. Wrong configuration ends it at
 * once with exit code 2; a database that does not answer is waited for; how it lives and ends is told in
 * `run-region.ts`. It decides nothing about replication: it only says which parts belong to which.
 */
import { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { FeedByRegion } from '@isthmus/replication/adapters/feed-by-region';
import { KafkaChangeFeed } from '@isthmus/replication/adapters/kafka/change-feed';
import { KafkaChangeSink } from '@isthmus/replication/adapters/kafka/change-sink';
import { KafkaControlLog } from '@isthmus/replication/adapters/kafka/control-log';
import { KafkaOwnLog } from '@isthmus/replication/adapters/kafka/own-log';
import { BusyPace } from '@isthmus/replication/adapters/node/busy-pace';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { PostgresChangeSource } from '@isthmus/replication/adapters/postgres/change-source';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { PostgresControlLog } from '@isthmus/replication/adapters/postgres-log/control-log';
import { PostgresLogFeed } from '@isthmus/replication/adapters/postgres-log/change-feed';
import { PostgresLogSink } from '@isthmus/replication/adapters/postgres-log/change-sink';
import type { IncarnationParts } from '@isthmus/replication/identity/relearning';
import { Draining } from '@isthmus/replication/guard/draining';
import { Joining } from '@isthmus/replication/guard/joining';
import { OwnRetirement, type OwnRetirementOptions } from '@isthmus/replication/guard/own-retirement';
import {
  OpenedFeed,
  OpenedOwnChanges,
  OpenedOwnLog,
  type OwnSeals,
  SealedControlLog,
} from '@isthmus/replication/log/opened-logs';
import { SealedSink } from '@isthmus/replication/log/sealed-sink';
import type { ChangeFeed } from '@isthmus/replication/ports/change-feed';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { type RegionId, actorOf } from '@isthmus/replication/ports/identity';
import type { OwnLog } from '@isthmus/replication/ports/own-log';
import { FigureReader } from '@isthmus/replication/progress/figures';
import { SlotWatch } from '@isthmus/replication/relay/slot-watch';
import { Replicator } from '@isthmus/replication/replicator';
import { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import { Purge } from '@isthmus/replication/tombstones/collecting';
import { type TroubleView, troubleOf } from '@isthmus/replication/trouble';
import type { Logger } from 'pino';
import { adminPartsOf } from './admin-parts.ts';
import { Digester } from './admin/digest.ts';
import { readCommandLine } from './command-line.ts';
import type { Config } from './config.ts';
import { DigestSweep } from './digest-sweep.ts';
import {
  createDonor,
  createGuard,
  createJournal,
  createMetrics,
  createRefused,
  createRefiller,
  createSessions,
  createWriteGuards,
  watchGuards,
  watchLinks,
} from './engine-parts.ts';
import type { Ground } from './ground.ts';
import type { RegionMetrics } from './metrics.ts';
import { PeerActors } from './peer-actors.ts';
import { watchIncidents } from './incident-parts.ts';
import { KnownWriters } from './known-writers.ts';
import { keepCalibrated, keepRead } from './keep-young.ts';
import { logSeals, tellKeyTime } from './log-seals.ts';
import { HttpPeerClient } from './peer-client.ts';
import { recordTypes } from './records/record-types.ts';
import { loadTextEngine } from './records/text-engine.ts';
import type { Opened } from './region-process.ts';
import { replicationEvents, wayEvents } from './replication-events.ts';
import { runRegion } from './run-region.ts';
import { HttpTransferPeer } from './transfer-peer.ts';
import { UnreachablePartitions } from './unreachable-partitions.ts';
import { VerifiedSweeps } from './verified-sweeps.ts';

const maxDriftMs = 60_000;
const figuresTimeoutMs = 2000;
const hourMs = 3_600_000;
const mebibyte = 1024 * 1024;

/** The same on this database, and what is its alone. */
interface Opening extends Ground {
  readonly database: Database;
  readonly purge: Purge;
  readonly paceMs: () => number;
}

async function openRegion(config: Config, log: Logger, isReady: () => Promise<boolean>): Promise<Opened> {
  const { region, databaseUrl } = config;
  const peers = config.peers.map((peer) => peer.region);
  const database = await openDatabase({
    connectionString: databaseUrl,
    region,
    peers,
    trustsRestarts: trustsRestarts(config),
  });
  for (const warning of database.warnings) log.warn({ warning }, 'the database should be looked at');
  const { partitionCount } = database.identity;
  const { records, beats, joining: joins } = database;
  const reading = { timer: systemTimer, timeoutMs: figuresTimeoutMs };
  const figures = new FigureReader({ peers, partitionCount, beats, records, ...reading });
  const text = await loadTextEngine(config.collections);
  const collections = recordTypes(config.collections, text);
  const purge = new Purge(text ?? null);
  const { incarnation } = database.identity;
  const client = new HttpPeerClient({ region, incarnation, admins: adminsOf(config) });
  const own = { region, peers, store: database.retirements, witness: client, logger: log };
  const looking = { timer: systemTimer, logger: log };
  const agenda = new AgendaWatch({ store: database.agenda, ...looking });
  const agreeing = new Agreeing(own);
  const onTold: OwnRetirementOptions['onTold'] = (told) => agreeing.hear(told);
  const retirement = new OwnRetirement({ ...own, agenda, onTold, onTurn: () => agreeing.turn() });
  const closed = () => retirement.closed;
  const joined = { store: joins, client, beats, closed };
  const joining = new Joining({ peers, partitionCount, ...joined, ...looking });
  const draining = new Draining({ store: database.drains, agenda, ...looking });
  await Promise.all([retirement.look(), joining.look(), draining.look()]);
  const watched = { agenda, joining, retirement, agreeing, draining };
  const { paceMs } = new BusyPace();
  const ground = {
    config,
    log,
    timer: systemTimer,
    database,
    peers,
    collections,
    purge,
    figures,
    client,
    paceMs,
    ...watched,
  };
  return join(ground, isReady);
}

function join(ground: Opening, isReady: () => Promise<boolean>): Opened {
  const { config, database, collections, peers, figures, client, retirement, joining, draining } = ground;
  const { agenda } = ground;
  const { identity, past, records, clock } = database;
  const links = watchLinks(ground);
  const metrics = createMetrics(ground, { links, troubles: () => troubles() });
  const donor = createDonor(ground);
  const journal = createJournal(ground, { metrics, paceMs: ground.paceMs });
  const transferPeer = new HttpTransferPeer({ admins: adminsOf(config), secret: config.peerSecret });
  const refused = createRefused(ground, metrics);
  const unreachable = new UnreachablePartitions();
  const seals = logSeals(config, refused, Date.now);
  tellKeyTime(config, ground.log, Date.now());
  const sink = config.roles.has('replicator') ? new SealedSink(createSink(ground), seals.sealer) : null;
  const incarnations = sink && incarnationParts(ground, seals);
  const carrying = { metrics, transferPeer, seals, unreachable };
  const replicator = sink && incarnations && createReplicator(ground, { ...carrying, sink, incarnations });
  const keeper = sink && incarnations && createGuard(ground, { metrics, sink, incarnations });
  const sessions = createSessions(ground);
  const calibration = keepCalibrated(clock, ground.log, systemTimer);
  const refreshing = keepRead(figures, systemTimer);
  const digester = new Digester({ store: records, clock });
  const digests = new DigestSweep({ collections, digester, client });
  const sweeps = new VerifiedSweeps(digests, database.verifications);
  const incidents = watchIncidents(
    { ...database, agenda, timer: systemTimer, logger: ground.log },
    { links, replicator, sweeps },
  );
  const troubles = (): readonly TroubleView[] => [
    ...(replicator?.troubles ?? []),
    ...troubleOf('incidents', null, incidents.failure),
  ];
  const guard = watchGuards(ground);
  const guards = createWriteGuards(ground, { watch: guard, metrics });
  const refiller = keeper && createRefiller(ground, { keeper, transferPeer });
  const slot = new SlotWatch({ read: database.slotHealth, timer: systemTimer, logger: ground.log });
  const watches = [agenda, links, keeper, incidents, guard, retirement, joining, draining, refiller];
  for (const part of [calibration, refreshing, replicator, slot, ...watches]) part?.start();
  const peerActors = new PeerActors(peers, figures);
  const writers = new KnownWriters(actorOf(identity.region, identity.incarnation), retirement, peerActors);
  const running = { links, donor, replicator, keeper, transferPeer, journal, guards, writers, digester };
  const ownLog = new OpenedOwnChanges(ownChanges(ground), seals);
  const shown = { isReady, metrics, troubles, refused, unreachable, ownChanges: ownLog };
  return {
    api: { collections, store: records, journal, guards, sessions, peers: peerActors, writers },
    admin: adminPartsOf(ground, { ...running, ...shown, maxDriftMs }),
    askDatabase: () => clock.calibrate(),
    isRenewed: () => past.standing === 'renewed' || keeper?.state.kind === 'renewed',
    endWaits: () => sessions.close(),
    closeWrites: () => journal.close(),
    closeReplication: async () => {
      digester.close();
      await Promise.all([...watches.map((watch) => watch?.stop()), donor.close()]);
      await replicator?.close();
      await sink?.close();
      await incarnations?.control.close();
      client.close();
      transferPeer.close();
    },
    closeDatabase: async () => {
      await Promise.all([calibration.stop(), refreshing.stop(), slot.stop()]);
      await database.close();
    },
  };
}

/** Nobody could tell a restore. */
function trustsRestarts({ log, peers }: Config): boolean {
  return log.kind === 'postgres' && peers.length === 0;
}

function incarnationParts({ config, log: logger, database }: Opening, seals: OwnSeals): IncarnationParts {
  const { region, databaseUrl: connectionString, log } = config;
  const { incarnations: store, past, identity } = database;
  const { incarnation } = identity;
  if (log.kind === 'postgres') {
    const control = new PostgresControlLog({ region, connectionString, incarnation });
    return { store, past, ownLog: null, control: new SealedControlLog(control, seals) };
  }
  const own = { region, cluster: { brokers: log.brokers }, logger };
  const control = new SealedControlLog(new KafkaControlLog(own), seals);
  return { store, past, ownLog: new OpenedOwnLog(new KafkaOwnLog(own), seals), control };
}

/** Of either kind of log: what one writes oneself can always be read, whatever it may testify to. */
function ownChanges({ config, log: logger }: Ground): Pick<OwnLog, 'subscribe'> {
  const { region, databaseUrl, log } = config;
  if (log.kind === 'kafka') return new KafkaOwnLog({ region, cluster: { brokers: log.brokers }, logger });
  const feed = new PostgresLogFeed({ logs: new Map([[region, databaseUrl]]), logger });
  return { subscribe: (offsets) => feed.subscribe(region, offsets) };
}

function adminsOf({ peers }: Config): ReadonlyMap<RegionId, string> {
  return new Map(peers.map((peer) => [peer.region, peer.admin]));
}

interface ReplicatorParts {
  readonly metrics: RegionMetrics;
  readonly sink: ChangeSink;
  readonly transferPeer: HttpTransferPeer;
  readonly incarnations: IncarnationParts;
  readonly seals: OwnSeals;
  readonly unreachable: UnreachablePartitions;
}

function createReplicator(ground: Opening, parts: ReplicatorParts): Replicator {
  const { metrics, sink, transferPeer, incarnations, seals, unreachable } = parts;
  const { config, log, database, peers, purge, agenda, paceMs } = ground;
  const { identity, records, beats, deadLetters, tombstones, lock, clock } = database;
  const { transfers: store, jobs, verifications, slots } = database;
  const way = wayEvents(metrics, config.region, clock);
  return new Replicator({
    identity,
    peers,
    records,
    beats,
    transfer: { store, jobs, verifications, slots, peer: transferPeer },
    tombstones: { store: tombstones, purge },
    agenda,
    deadLetters,
    incarnations,
    source: new PostgresChangeSource({ connectionString: config.databaseUrl, onRead: way.onRead }),
    sink,
    feed: new OpenedFeed(createFeed(ground, { ...way, unreachable }), seals),
    lock,
    clock,
    timer: systemTimer,
    paceMs,
    maxDriftMs,
    logger: log,
    events: replicationEvents(metrics, config.region),
  });
}

function createSink({ config, log: logger, database }: Opening): ChangeSink {
  const { region, databaseUrl: connectionString, logPassword } = config;
  const retentionMs = config.logRetentionHours * hourMs;
  logger.info({ log: config.log.kind }, 'the region writes its log');
  if (config.log.kind === 'kafka') {
    const { log, kafkaReplicas: replicas } = config;
    const common = { region, cluster: { brokers: log.brokers }, logger, retentionMs };
    return new KafkaChangeSink({ ...common, ...(replicas === 'any' ? {} : { replicas }) });
  }
  return new PostgresLogSink({
    region,
    connectionString,
    incarnation: database.identity.incarnation,
    readerPassword: logPassword === '' ? null : logPassword,
    trustsRestarts: trustsRestarts(config),
    retention: { keepMs: retentionMs, keepBytes: config.logRetentionMebibytes * mebibyte },
    logger,
  });
}

function createFeed(
  { config, log: logger }: Ground,
  {
    onArrived,
    unreachable,
  }: Pick<ReturnType<typeof wayEvents>, 'onArrived'> & {
    readonly unreachable: UnreachablePartitions;
  },
): ChangeFeed {
  const feeds = config.peers.map(({ region: peer, log }): readonly [RegionId, ChangeFeed] => {
    if (log.kind === 'postgres')
      return [peer, new PostgresLogFeed({ logs: new Map([[peer, log.url]]), logger })];
    const clusters = new Map([[peer, { brokers: log.brokers }]]);
    const onUnreachable = unreachable.note.bind(unreachable);
    const told = { onArrived, onUnreachable };
    return [peer, new KafkaChangeFeed({ region: config.region, clusters, logger, ...told })];
  });
  return new FeedByRegion(new Map(feeds));
}

const config = readCommandLine(process.argv.slice(2));
if (config !== null) await runRegion(config, openRegion);

/**
 * The region process: the one place that joins configuration, engine and adapters. Wrong configuration ends it at
 * once with exit code 2; a database that does not answer is waited for; a database that is not this region's, and a
 * failed assertion, end it, because going on could only do harm.
 */
import { KafkaChangeFeed } from '@isthmus/replication/adapters/kafka/change-feed';
import { KafkaChangeSink } from '@isthmus/replication/adapters/kafka/change-sink';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { PostgresChangeSource } from '@isthmus/replication/adapters/postgres/change-source';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { ReplicationError } from '@isthmus/replication/errors';
import { Journal } from '@isthmus/replication/journal/journal';
import { LinkWatch } from '@isthmus/replication/links/link-watch';
import { type RegionId, actorOf } from '@isthmus/replication/ports/identity';
import { FigureReader } from '@isthmus/replication/progress/figures';
import { type OriginStatus, Replicator, type ReplicatorEvents } from '@isthmus/replication/replicator';
import { Ticker } from '@isthmus/replication/ticker';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import { Digester } from './admin/digest.ts';
import { type Config, describeFault, readConfig } from './config.ts';
import { RegionMetrics } from './metrics.ts';
import { PeerActors } from './peer-actors.ts';
import { HttpPeerClient, answerEcho } from './peer-client.ts';
import type { RecordType } from './records/record-type.ts';
import { recordTypes } from './records/record-types.ts';
import { loadTextEngine } from './records/text-engine.ts';
import { type Opened, RegionProcess } from './region-process.ts';
import { describeStartFault } from './start-fault.ts';
import { type GapStatus, type Status, statusOf } from './status.ts';
import { version } from './version.ts';
import { within } from './within.ts';

const exitCodes = { failed: 1, wrongUsage: 2, bug: 70 } as const;
const maxWaitingEdits = 20_000;
const maxDriftMs = 60_000;
const calibrateIntervalMs = 1000;
const figuresTimeoutMs = 2000;
const refreshIntervalMs = 1000;
const usage = 'usage: isthmus-region [--print-config]   (configuration comes from ISTHMUS_ variables)\n';

async function main(args: readonly string[]): Promise<void> {
  const isPrint = args.length === 1 && args[0] === '--print-config';
  if (args.length === 1 && args[0] === '--help') return end(0, usage);
  if (args.length > 0 && !isPrint) return end(exitCodes.wrongUsage, usage);
  const read = readConfig();
  if (read.kind === 'invalid')
    return end(exitCodes.wrongUsage, read.faults.map((fault) => `${describeFault(fault)}\n`).join(''));
  if (isPrint) process.stdout.write(`${JSON.stringify(read.shown, null, 2)}\n`);
  else await run(read.config);
}

function end(code: number, message: string): void {
  process.stderr.write(message);
  process.exitCode = code;
}

async function run(config: Config): Promise<void> {
  const log = createLog(config);
  const crash = (failure: unknown) => {
    log.fatal({ err: failure }, 'the process cannot go on');
    process.exit(exitCodes.bug);
  };
  process.on('uncaughtException', crash);
  const open = (isReady: () => Promise<boolean>) => openRegion(config, log, isReady);
  const region = new RegionProcess({ config, log, crash: (failure) => setImmediate(crash, failure), open });
  const stop = () => {
    void region.stop().then((clean) => process.exit(clean ? 0 : exitCodes.failed));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    await region.start();
  } catch (error) {
    const fault = describeStartFault(error, config);
    if (fault === null) log.fatal({ err: error }, 'the region cannot start');
    else process.stderr.write(`${fault}\n`);
    await region.stop();
    process.exit(exitCodes.failed);
  }
}

function createLog({ region, logLevel }: Config): Logger {
  return pino({
    level: logLevel,
    base: { region },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** What the parts of the region are made of. */
interface Ground {
  readonly config: Config;
  readonly log: Logger;
  readonly database: Database;
  readonly peers: readonly RegionId[];
  readonly collections: ReadonlyMap<string, RecordType>;
  readonly figures: FigureReader;
}

async function openRegion(config: Config, log: Logger, isReady: () => Promise<boolean>): Promise<Opened> {
  const { region, databaseUrl } = config;
  const peers = config.peers.map((peer) => peer.region);
  const database = await openDatabase({ connectionString: databaseUrl, region, peers });
  for (const warning of database.warnings) log.warn({ warning }, 'the database should be looked at');
  const { partitionCount } = database.identity;
  const { records, beats } = database;
  const reading = { timer: systemTimer, timeoutMs: figuresTimeoutMs };
  const figures = new FigureReader({ peers, partitionCount, beats, records, ...reading });
  const collections = recordTypes(config.collections, await loadTextEngine(config.collections));
  return join({ config, log, database, peers, collections, figures }, isReady);
}

function join(ground: Ground, isReady: () => Promise<boolean>): Opened {
  const { config, database, collections, peers, figures } = ground;
  const { records, beats, clock } = database;
  const { client, links } = watchLinks(ground);
  const metrics = createMetrics(ground, links);
  const journal = createJournal(database, metrics);
  const replicator =
    config.brokers.length > 0 && config.roles.has('replicator') ? createReplicator(ground, metrics) : null;
  const calibration = calibrate(ground);
  const refreshing = refresh(ground);
  for (const part of [calibration, refreshing, links, replicator]) part?.start();
  return {
    api: { collections, store: records, journal, peers: new PeerActors(peers, figures) },
    admin: {
      collections,
      store: records,
      journal,
      digester: new Digester({ store: records, clock }),
      status: () => readStatus(ground, { isReady, links, replicator }),
      metrics: () => metrics.scrape(),
      echo: (caller) => answerEcho(beats, config.region, caller),
    },
    askDatabase: () => clock.calibrate(),
    closeWrites: () => journal.close(),
    closeReplication: async () => {
      await Promise.all([links.stop(), replicator?.close()]);
      client.close();
    },
    closeDatabase: async () => {
      await Promise.all([calibration.stop(), refreshing.stop()]);
      await database.close();
    },
  };
}

/** Keeps the clock read; a reading that fails leaves the last one in force. */
function calibrate({ database, log }: Ground): Ticker {
  const read = async () => {
    try {
      await database.clock.calibrate();
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      log.debug({ err: error }, 'the database clock could not be read');
    }
  };
  return new Ticker({ timer: systemTimer, intervalMs: calibrateIntervalMs, run: read });
}

/** Keeps the figures young, so that what is told of a database that has just died is no older than this. */
function refresh({ figures }: Ground): Ticker {
  const read = async () => {
    await figures.read();
  };
  return new Ticker({ timer: systemTimer, intervalMs: refreshIntervalMs, run: read });
}

function watchLinks({ config, database, peers }: Ground): { client: HttpPeerClient; links: LinkWatch } {
  const { beats, clock, identity } = database;
  const admins = new Map(config.peers.map((peer) => [peer.region, peer.admin]));
  const client = new HttpPeerClient({ region: config.region, incarnation: identity.incarnation, admins });
  return { client, links: new LinkWatch({ peers, beats, client, clock, timer: systemTimer }) };
}

function createMetrics({ config, database, peers, figures }: Ground, links: LinkWatch): RegionMetrics {
  const { identity, clock } = database;
  return new RegionMetrics({
    region: config.region,
    incarnation: identity.incarnation,
    peers,
    figures,
    clock,
    links,
    retainedWalBytes: () => within(figuresTimeoutMs, database.retainedWalBytes()),
    pool: database.poolUse,
    objectives: [],
  });
}

function createJournal({ identity, records, clock }: Database, metrics: RegionMetrics): Journal {
  const { region, incarnation } = identity;
  return new Journal({
    store: records,
    clock,
    actor: actorOf(region, incarnation),
    timer: systemTimer,
    maxWaitingEdits,
    onBatch: (batch) => metrics.writeBatch(batch.records, batch.durationMs / 1000),
  });
}

function createReplicator({ config, log, database, peers }: Ground, metrics: RegionMetrics): Replicator {
  const { region, brokers, databaseUrl } = config;
  const { identity, records, beats, lock, clock } = database;
  const clusters = new Map(config.peers.map((peer) => [peer.region, { brokers: peer.brokers }]));
  return new Replicator({
    identity,
    peers,
    records,
    beats,
    source: new PostgresChangeSource({ connectionString: databaseUrl }),
    sink: new KafkaChangeSink({ region, cluster: { brokers }, logger: log }),
    feed: new KafkaChangeFeed({ region, clusters, logger: log }),
    lock,
    clock,
    timer: systemTimer,
    maxDriftMs,
    logger: log,
    events: replicationEvents(metrics),
  });
}

function replicationEvents(metrics: RegionMetrics): ReplicatorEvents {
  return {
    onApplied: (report) => {
      const { origin, changes, durationMs, conflicts } = report;
      if (changes > 0) metrics.applyBatch(origin, changes, durationMs / 1000);
      for (const { collection, fields } of conflicts) metrics.conflicts(collection, 'last-writer', fields);
    },
    onGap: (origin, _partition, cause) => metrics.gap(origin, cause),
    onFenced: () => metrics.fenced('applier'),
    onVisible: (origin, afterMs) => metrics.visible(origin, afterMs / 1000),
    onRefused: (origin) => metrics.refused(origin),
    onPublished: ({ bytes }) => metrics.logBytes('raw', bytes),
  };
}

interface StatusSources {
  readonly isReady: () => Promise<boolean>;
  readonly links: LinkWatch;
  readonly replicator: Replicator | null;
}

function readStatus(
  { config, database, peers, collections, figures }: Ground,
  { isReady, links, replicator }: StatusSources,
): Promise<Status> {
  return statusOf({
    region: config.region,
    incarnation: database.identity.incarnation,
    version,
    peers,
    collections: [...collections.keys()],
    figures,
    clock: database.clock,
    ready: isReady,
    links: () => links.links,
    gaps: () => replicator?.origins.flatMap(gapsOf) ?? null,
  });
}

function gapsOf({ origin, readings }: OriginStatus): readonly GapStatus[] {
  return readings.flatMap((reading, partition) =>
    reading.kind === 'gap' ? [{ origin, partition, cause: reading.cause }] : [],
  );
}

await main(process.argv.slice(2));

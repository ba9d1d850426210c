/**
 * Several regions side by side on one machine: a Postgres, a Kafka where the log is to lie in one, and a region
 * process each, and a link for each directed pair, through which all that passes between regions goes.
 * Everything starts at once; where one part fails, what has started is stopped before the failure is
 * told. `stop` leaves nothing. The servers and links can be had without the region processes.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Address } from './address.ts';
import { type GivenServers, givenServers } from './given-servers.ts';
import { type Kafka, startKafka } from './kafka.ts';
import type { KafkaTuning } from './kafka-process.ts';
import { type Link, openLink } from './link-proxy.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { type Progress, progressOnStderr } from './progress.ts';
import { type LogKind, type RegionLog, logInKafka, logInPostgres } from './region-log.ts';
import { type PeerAddresses, prepareRegionProcess, type RegionProcess } from './region-process.ts';
import type { Server } from './server.ts';
import { keepKey } from './signing-keys.ts';

export interface ClusterOptions {
  readonly regions: readonly string[];
  /** By default `kafka`. */
  readonly log?: LogKind;
  /** Milliseconds each way between regions. */
  readonly baseDelayMs?: number;
  /** A folder to keep all data and logs in. */
  readonly keepIn?: string | undefined;
  readonly progress?: Progress;
  /** A file of declarations; by default the demo's. */
  readonly collections?: string;
  /** Further ISTHMUS_ variables for the region processes. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Further variables of the environment of a region's Postgres. */
  readonly postgresEnvironment?: (region: string) => Readonly<Record<string, string>>;
  /** By default `quick-start`. */
  readonly kafkaTuning?: KafkaTuning;
}

export interface RegionServers {
  readonly region: string;
  readonly postgres: Postgres;
  /** `null` where the log lies in Postgres. */
  readonly kafka: Kafka | null;
  /** Where its log is read near by: brokers, or the address of its Postgres. */
  readonly brokers: string;
}

export interface ClusterRegion extends RegionServers {
  readonly process: RegionProcess;
  /** Starts one more process of the same region on the same servers, at other addresses. */
  readonly startAnother: () => Promise<RegionProcess>;
}

export interface Links {
  readonly all: readonly Link[];
  readonly find: (origin: string, target: string) => Link | undefined;
}

export interface ServerCluster {
  readonly regions: readonly RegionServers[];
  readonly links: Links;
  readonly stop: () => Promise<void>;
}

export interface Cluster extends ServerCluster {
  readonly regions: readonly ClusterRegion[];
}

/** Stops what it holds, the newest first, all of one generation together. */
class Started {
  readonly #processes: Server[] = [];
  readonly #servers: Server[] = [];
  #links: readonly Link[] = [];

  async process(start: Promise<RegionProcess>): Promise<RegionProcess> {
    const started = await start;
    this.#processes.push(started);
    return started;
  }

  async server<T extends Server>(start: Promise<T>): Promise<T> {
    const started = await start;
    this.#servers.push(started);
    return started;
  }

  links(links: readonly Link[]): void {
    this.#links = links;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.stop()));
    await Promise.all(this.#servers.map((each) => each.stop()));
    await Promise.all(this.#links.map((link) => link.close()));
    this.#links = [];
  }
}

/** Waits for all, so that nothing is still starting when the first failure is told. */
async function all<T>(started: Started, starts: readonly Promise<T>[]): Promise<readonly T[]> {
  const outcomes = await Promise.allSettled(starts);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return Promise.all(starts);
  await started.stop();
  throw failed.reason;
}

/** Starts the servers and the links of every region, without region processes. */
export async function startServers(options: ClusterOptions): Promise<ServerCluster> {
  const started = new Started();
  const ground = await prepare(options, started);
  const starts = options.regions.map((region) => startRegionServers({ region, ...ground }));
  const regions = await all(started, starts);
  return { regions, links: ground.links, stop: () => started.stop() };
}

/** Starts whole regions; resolves when each of them says that it is ready. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const started = new Started();
  const ground = await prepare(options, started);
  const starts = options.regions.map(async (region) => {
    const servers = await startRegionServers({ region, ...ground });
    return startRegion({ servers, ...ground });
  });
  const regions = await all(started, starts);
  return { regions, links: ground.links, stop: () => started.stop() };
}

/** What all regions of a cluster stand on. */
interface Ground {
  readonly options: ClusterOptions;
  readonly links: Links;
  readonly given: GivenServers;
  readonly logs: ReadonlyMap<string, RegionLog>;
  readonly started: Started;
}

async function prepare(options: ClusterOptions, started: Started): Promise<Ground> {
  const { keepIn } = options;
  if (keepIn !== undefined)
    for (const region of options.regions) keepKey(region, join(keepIn, region, 'signing.key'));
  const links = await openLinks(options, started);
  const given = givenServers(process.env);
  const logs = options.regions.map((region): readonly [string, RegionLog] => {
    if (options.log !== 'postgres') return [region, logInKafka];
    const url = given.postgres(region)?.url;
    return [region, logInPostgres(region, url === undefined ? '/postgres' : new URL(url).pathname)];
  });
  return { options, links, given, logs: new Map(logs), started };
}

async function openLinks(options: ClusterOptions, started: Started): Promise<Links> {
  const { regions, baseDelayMs = 0 } = options;
  assert(new Set(regions).size === regions.length, 'each region is named once');
  const pairs = regions.flatMap((origin) =>
    regions.filter((target) => target !== origin).map((target) => ({ origin, target })),
  );
  const links = await Promise.all(pairs.map((pair) => openLink({ ...pair, baseDelayMs })));
  started.links(links);
  return {
    all: links,
    find: (origin, target) => links.find((link) => link.origin === origin && link.target === target),
  };
}

interface ServersStart extends Ground {
  readonly region: string;
}

async function startRegionServers(start: ServersStart): Promise<RegionServers> {
  const { region, options, given, started } = start;
  const place = (kind: string): { keepIn?: string } =>
    options.keepIn === undefined ? {} : { keepIn: join(options.keepIn, region, kind) };
  const ownPostgres = given.postgres(region);
  const environment = options.postgresEnvironment?.(region) ?? {};
  const startingPostgres = started.server(
    ownPostgres ? Promise.resolve(ownPostgres) : startPostgres({ ...place('postgres'), environment }),
  );
  if (options.log === 'postgres') {
    const postgres = await startingPostgres;
    const address = { host: new URL(postgres.url).hostname, port: postgres.port };
    leadPeersTo(address, start);
    return { region, postgres, kafka: null, brokers: logOf(start.logs, region).addressAt(address) };
  }
  const ownKafka = given.kafka(region);
  const startingKafka = started.server(
    ownKafka ? Promise.resolve(ownKafka) : startLinkedKafka(start, place('kafka')),
  );
  await Promise.allSettled([startingPostgres, startingKafka]);
  const [postgres, kafka] = await Promise.all([startingPostgres, startingKafka]);
  // Only the first contact of a peer passes the link: then a broker that was given tells its own address.
  const { hostname: host, port } = new URL(`kafka://${kafka.brokers.split(',')[0] ?? ''}`);
  if (ownKafka) leadPeersTo({ host, port: Number(port) }, start);
  return { region, postgres, kafka, brokers: kafka.brokers };
}

/** Peers are told the address of the link, and the link leads to the listener made for it. */
async function startLinkedKafka(start: ServersStart, place: { keepIn?: string }): Promise<Kafka> {
  const outgoing = start.links.all.filter((link) => link.origin === start.region);
  const kafka = await startKafka({
    ...place,
    listeners: Object.fromEntries(outgoing.map((link) => [link.target, { advertised: link.log }])),
    progress: start.options.progress ?? progressOnStderr,
    tuning: start.options.kafkaTuning ?? 'quick-start',
  });
  for (const link of outgoing) {
    const address = kafka.listeners[link.target];
    assert(address !== undefined, `Kafka of ${link.origin} listens for ${link.target}`);
    link.leadLogTo(address);
  }
  return kafka;
}

function leadPeersTo(address: Address, { links, region }: ServersStart): void {
  for (const link of links.all) if (link.origin === region) link.leadLogTo(address);
}

function logOf(logs: ReadonlyMap<string, RegionLog>, region: string): RegionLog {
  const log = logs.get(region);
  assert(log !== undefined, `the log of ${region} is planned`);
  return log;
}

interface RegionStart extends Ground {
  readonly servers: RegionServers;
}

async function startRegion(start: RegionStart): Promise<ClusterRegion> {
  const { servers, options, links, started } = start;
  const prepared = await prepareRegionProcess({
    ...processOptions(start),
    keepIn: options.keepIn === undefined ? undefined : join(options.keepIn, servers.region, 'region'),
  });
  for (const link of links.all) {
    if (link.target === servers.region) link.leadAdminTo(prepared.adminAddress);
  }
  const process = await started.process(prepared.start());
  const startAnother = async (): Promise<RegionProcess> => {
    const another = await prepareRegionProcess(processOptions(start));
    return started.process(another.start());
  };
  return { ...servers, process, startAnother };
}

function processOptions(start: RegionStart): Parameters<typeof prepareRegionProcess>[0] {
  const { servers, options, logs } = start;
  const { region, postgres, kafka } = servers;
  const own = kafka === null ? logOf(logs, region).settings : { ISTHMUS_KAFKA_BROKERS: kafka.brokers };
  return {
    region,
    database: postgres.url,
    peers: options.regions.filter((peer) => peer !== region).map((peer) => peerAddresses(start, peer)),
    collections: options.collections,
    settings: { ...own, ...options.settings },
    progress: options.progress,
  };
}

/** What a region reads from a peer comes by the peer's link to it; what it asks goes by its own. */
function peerAddresses({ links, logs, servers: { region } }: RegionStart, peer: string): PeerAddresses {
  const incoming = links.find(peer, region);
  const outgoing = links.find(region, peer);
  assert(incoming !== undefined && outgoing !== undefined, `links join ${region} and ${peer}`);
  const brokers = logOf(logs, peer).addressAt(incoming.log);
  return { region: peer, brokers, admin: outgoing.admin };
}

/**
 * The configuration of the process, read once from the environment. Everything wrong with it is reported together,
 * each fault with the variable, what it held and what it takes; what a secret or an unknown variable held is never
 * repeated. A name that starts with `ISTHMUS_` and is not known is a fault, because a misspelt name would otherwise
 * leave a default in force unseen; names that Kubernetes makes for a service are not ours and are ignored.
 */
import type { PublicKey } from '@isthmus/replication/log/signing-keys';
import type { RegionId } from '@isthmus/replication/ports/identity';
import {
  type ListenAddress,
  type LogLevel,
  type OwnLog,
  type Parsed,
  type PeerConfig,
  type Role,
  parseAddress,
  parseCollections,
  parseDatabaseUrl,
  parseLogLevel,
  parseLogPassword,
  parseOwnLog,
  parsePeers,
  parseRegion,
  parseRoles,
  parseSharedSecret,
  readText,
  parseReplicas,
  wholeNumber,
} from './config-values.ts';
import type { Declarations } from './declarations.ts';
import { isPrivateFile, keyFault, type OwnSigning, parsePublicKeys, parseSigningKey } from './key-values.ts';
import { guardContradiction } from './guard-declaration.ts';
import { nearest } from './nearest.ts';

export interface Config {
  readonly region: RegionId;
  readonly databaseUrl: string;
  readonly log: OwnLog;
  /** For the role that peers read a log in Postgres with; empty: that role is somebody else's business. */
  readonly logPassword: string;
  /** Brokers that hold each topic of a log in Kafka; `any`: as many as are up when it is made, at most three. */
  readonly kafkaReplicas: number | 'any';
  /** How long the log keeps changes where it is made. */
  readonly logRetentionHours: number;
  /** How much of them, where the log is in Postgres. */
  readonly logRetentionMebibytes: number;
  readonly peers: readonly PeerConfig[];
  readonly apiAddress: ListenAddress;
  readonly adminAddress: ListenAddress;
  readonly roles: ReadonlySet<Role>;
  readonly collections: Declarations;
  readonly logLevel: LogLevel;
  /** Authenticates sessions, the same in every region; empty: they are only protected against accidents. */
  readonly sessionKey: string;
  /** What the region signs its log with. */
  readonly signingKey: OwnSigning;
  /** Of every region, its own too: whom it believes what lies in a log. */
  readonly publicKeys: readonly PublicKey[];
  /** What peers show to read records, the same in every region; empty: only this machine is served. */
  readonly peerSecret: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

interface ConfigFault {
  readonly variable: string;
  /** What the variable held, hidden where it may be a secret; `null`: it was not set. */
  readonly held: string | null;
  readonly takes: string;
}

type ConfigResult =
  | {
      readonly kind: 'valid';
      readonly config: Config;
      readonly shown: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'invalid'; readonly faults: readonly ConfigFault[] };

interface Variable<T> {
  readonly name: string;
  /** Used where the variable is not set; `null`: it must be set. */
  readonly fallback: string | null;
  /** Holds a secret, so that it may also be named as a file. */
  readonly secret: boolean;
  /** Its file must be nobody else's to read. */
  readonly isPrivate?: boolean;
  readonly parse: (text: string) => Parsed<T>;
  /** The value as anybody may see it. */
  readonly show: (text: string) => string;
  /** The same of a value that is at fault, of which nothing is known. */
  readonly showFault: (text: string) => string;
}

const shownHeldLength = 80;
const hidden = '(hidden)';

const maxRetentionHours = 10 * 366 * 24;
const maxRetentionMebibytes = 100 * 1024 * 1024;

const variables = {
  region: variable('ISTHMUS_REGION', null, parseRegion),
  databaseUrl: {
    ...variable('ISTHMUS_DATABASE_URL', null, parseDatabaseUrl),
    secret: true,
    show: hideSecrets,
    showFault: () => hidden,
  },
  log: {
    ...variable('ISTHMUS_KAFKA_BROKERS', '', parseOwnLog),
    show: (text: string) => (text === '' ? 'postgres' : text),
  },
  logPassword: secretVariable('ISTHMUS_LOG_PASSWORD', parseLogPassword),
  kafkaReplicas: variable('ISTHMUS_KAFKA_REPLICAS', '', parseReplicas),
  logRetentionHours: variable('ISTHMUS_LOG_RETENTION_HOURS', '168', wholeNumber(1, maxRetentionHours)),
  logRetentionMebibytes: variable(
    'ISTHMUS_LOG_RETENTION_MIB',
    '1024',
    wholeNumber(16, maxRetentionMebibytes),
  ),
  peers: {
    ...variable('ISTHMUS_PEERS', '[]', parsePeers),
    secret: true,
    showFault: (text: string) => (/postgres(?:ql)?:/.test(text) ? hidden : quoted(text)),
  },
  apiAddress: variable('ISTHMUS_API_ADDRESS', '0.0.0.0:8080', parseAddress),
  adminAddress: variable('ISTHMUS_ADMIN_ADDRESS', '127.0.0.1:8081', parseAddress),
  roles: variable('ISTHMUS_ROLES', 'api,replicator', parseRoles),
  collections: variable('ISTHMUS_COLLECTIONS', '', parseCollections),
  logLevel: variable('ISTHMUS_LOG_LEVEL', 'info', parseLogLevel),
  sessionKey: secretVariable('ISTHMUS_SESSION_KEY', parseSharedSecret),
  peerSecret: secretVariable('ISTHMUS_PEER_SECRET', parseSharedSecret),
  signingKey: { ...secretVariable('ISTHMUS_SIGNING_KEY', parseSigningKey), isPrivate: true },
  publicKeys: {
    ...variable('ISTHMUS_PUBLIC_KEYS', '{}', parsePublicKeys),
    secret: true,
    show: (text: string) => text,
    showFault: () => hidden,
  },
} as const;

const commandLineNames = ['ISTHMUS_API', 'ISTHMUS_ADMIN', 'ISTHMUS_DEMO'];
const kubernetesName =
  /^ISTHMUS_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[A-Z0-9_]+)?)$/;

export function readConfig(environment: Environment = process.env): ConfigResult {
  const reader = new Reader(environment);
  const config = {
    region: reader.read(variables.region),
    databaseUrl: reader.read(variables.databaseUrl),
    log: reader.read(variables.log),
    logPassword: reader.read(variables.logPassword),
    kafkaReplicas: reader.read(variables.kafkaReplicas),
    logRetentionHours: reader.read(variables.logRetentionHours),
    logRetentionMebibytes: reader.read(variables.logRetentionMebibytes),
    peers: reader.read(variables.peers),
    apiAddress: reader.read(variables.apiAddress),
    adminAddress: reader.read(variables.adminAddress),
    roles: reader.read(variables.roles),
    collections: reader.read(variables.collections),
    logLevel: reader.read(variables.logLevel),
    sessionKey: reader.read(variables.sessionKey),
    peerSecret: reader.read(variables.peerSecret),
    signingKey: reader.read(variables.signingKey),
    publicKeys: reader.read(variables.publicKeys),
  };
  reader.refuseUnknownNames();
  const faults = reader.faults;
  if (faults.length > 0 || !isComplete(config)) return { kind: 'invalid', faults };
  const contradiction = contradictionIn(config);
  if (contradiction !== null) return { kind: 'invalid', faults: [contradiction] };
  return { kind: 'valid', config, shown: reader.shown };
}

export function describeFault(fault: ConfigFault): string {
  const held = fault.held === null ? 'is not set' : `holds ${fault.held}`;
  return `${fault.variable} ${held}; it takes ${fault.takes}`;
}

type Unchecked = { readonly [K in keyof Config]: Config[K] | null };

function isComplete(config: Unchecked): config is Config {
  return Object.values(config).every((value) => value !== null);
}

/** Reads variables one by one, gathering what is wrong and what `--print-config` shows. */
class Reader {
  readonly faults: ConfigFault[] = [];
  readonly shown: Record<string, string> = {};
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** `null` where the variable is at fault. */
  read<T>(of: Variable<T>): T | null {
    const text = this.#text(of);
    if (text === null) return null;
    const parsed = of.parse(text);
    if ('takes' in parsed) return this.#fault(of.name, of.showFault(text), parsed.takes);
    this.shown[of.name] = of.show(text);
    return parsed.value;
  }

  refuseUnknownNames(): void {
    const known = Object.values(variables).flatMap((of) =>
      of.secret ? [of.name, `${of.name}_FILE`] : [of.name],
    );
    const all = new Set([...known, ...commandLineNames]);
    for (const name of Object.keys(this.#environment)) {
      if (!name.startsWith('ISTHMUS_') || all.has(name) || kubernetesName.test(name)) continue;
      const near = nearest(name, known);
      const takes =
        near === null ? `nothing: the names are ${known.join(', ')}` : `nothing: did you mean ${near}?`;
      this.#fault(name, hidden, takes);
    }
  }

  #text(of: Variable<unknown>): string | null {
    const direct = this.#environment[of.name] ?? '';
    const path = of.secret ? (this.#environment[`${of.name}_FILE`] ?? '') : '';
    if (direct !== '' && path !== '')
      return this.#fault(`${of.name}_FILE`, JSON.stringify(path), `nothing while ${of.name} is set`);
    if (path !== '') return this.#secretFile(of, path);
    if (direct !== '') return direct;
    if (of.fallback !== null) return of.fallback;
    const refused = of.parse('');
    return this.#fault(of.name, null, 'takes' in refused ? refused.takes : 'a value');
  }

  #secretFile(of: Variable<unknown>, path: string): string | null {
    const [name, held] = [`${of.name}_FILE`, JSON.stringify(path)];
    const text = readText(path);
    if (text === null || text.trim() === '')
      return this.#fault(name, held, 'the path of a readable file with the secret');
    if (of.isPrivate === true && !isPrivateFile(path))
      return this.#fault(name, held, 'a file that nobody but its owner can read: chmod 600');
    return text.trim();
  }

  #fault(name: string, held: string | null, takes: string): null {
    this.faults.push({ variable: name, held, takes });
    return null;
  }
}

function variable<T>(name: string, fallback: string | null, parse: (text: string) => Parsed<T>): Variable<T> {
  return { name, fallback, parse, secret: false, show: hideUserinfo, showFault: quoted };
}

/** Nobody is shown more of it than whether it is set. */
function secretVariable<T>(name: string, parse: (text: string) => Parsed<T>): Variable<T> {
  const show = (text: string): string => (text === '' ? '' : hidden);
  return { name, fallback: '', parse, secret: true, show, showFault: () => hidden };
}

function quoted(text: string): string {
  const bare = hideUserinfo(text);
  const short = bare.length > shownHeldLength ? `${bare.slice(0, shownHeldLength)}…` : bare;
  return JSON.stringify(short);
}

/** Names and passwords in addresses, wherever in a text they stand; of a URL they may hold all but blanks and quotes. */
function hideUserinfo(text: string): string {
  return text.replace(/\/\/[^\s"]*@/g, '//(hidden)@').replace(/[^\s",]+@/g, '(hidden)@');
}

/** What may be shown of a database address: everything but password and parameters. */
function hideSecrets(text: string): string {
  const url = new URL(text);
  if (url.password !== '') url.password = 'hidden';
  url.search = '';
  return url.href;
}

function contradictionIn(config: Config): ConfigFault | null {
  if (config.peers.some((peer) => peer.region === config.region)) {
    const takes = `other regions only; ${config.region} is this one`;
    return {
      variable: variables.peers.name,
      held: JSON.stringify(config.region),
      takes,
    };
  }
  const [api, admin] = [config.apiAddress, config.adminAddress];
  if (config.roles.has('api') && api.port !== 0 && api.port === admin.port && api.host === admin.host) {
    const takes = `another address than ${variables.apiAddress.name}`;
    return { variable: variables.adminAddress.name, held: `${admin.host}:${admin.port}`, takes };
  }
  const isForgotten = config.log.kind === 'postgres' && !config.log.isGiven;
  if (config.roles.has('replicator') && isForgotten && config.peers.some(({ log }) => log.kind === 'kafka')) {
    const takes = `the region's own brokers (host:port,…), or postgres, where ${variables.peers.name} names brokers`;
    return { variable: variables.log.name, held: null, takes };
  }
  const keys = keyFault(config);
  if (keys !== null) return { variable: variables[keys.of].name, held: keys.held, takes: keys.takes };
  return guardFault(config);
}

function guardFault({ region, peers, collections }: Config): ConfigFault | null {
  const names = peers.map((peer) => peer.region);
  for (const [collection, { guard }] of collections) {
    const reason = guardContradiction(guard, region, names);
    if (reason === null) continue;
    const takes = `guards that can let a write pass; ${reason}`;
    return { variable: variables.collections.name, held: `collections.${collection}.guard`, takes };
  }
  return null;
}

/**
 * How each value of the configuration is read from its text. A parser returns the value or says what it takes; it
 * never repeats what it was given, because the caller knows whether that may be shown. Only the files that the
 * configuration names are read here.
 */
import { readFileSync } from 'node:fs';
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import { z } from 'zod';
import { type Declarations, parseDeclarations } from './declarations.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** Where a peer's log is read. */
export type LogPlace =
  | { readonly kind: 'kafka'; readonly brokers: readonly string[] }
  /** In that region's own Postgres, read as a role made for that. */
  | { readonly kind: 'postgres'; readonly url: string };

/** Where the own log is kept; `isGiven`: somebody has chosen it and not just named no brokers. */
export type OwnLog =
  | { readonly kind: 'kafka'; readonly brokers: readonly string[] }
  | { readonly kind: 'postgres'; readonly isGiven: boolean };

export interface PeerConfig {
  readonly region: RegionId;
  readonly log: LogPlace;
  /** Base address of the peer's admin listener, without a slash at the end. */
  readonly admin: string;
}

export type Role = 'api' | 'replicator';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export type Parsed<T> = { readonly value: T } | { readonly takes: string };

const maxFileBytes = 1024 * 1024;

export function parseRegion(text: string): Parsed<RegionId> {
  const region = parseRegionId(text);
  if (region !== null) return { value: region };
  return {
    takes: 'a name of 1 to 32 lower-case letters, digits and inner hyphens',
  };
}

export function parseDatabaseUrl(text: string): Parsed<string> {
  const takes = 'postgres://user:password@host:port/database';
  if (!URL.canParse(text)) return { takes };
  const { protocol, pathname } = new URL(text);
  const isPostgres = protocol === 'postgres:' || protocol === 'postgresql:';
  return isPostgres && pathname.length > 1 ? { value: text } : { takes };
}

export function parseOwnLog(text: string): Parsed<OwnLog> {
  if (text === '' || text === 'postgres')
    return { value: { kind: 'postgres', isGiven: text === 'postgres' } };
  const brokers = parseBrokers(text);
  if (brokers !== null) return { value: { kind: 'kafka', brokers } };
  return { takes: 'host:port, more of them with commas between, or postgres' };
}

function parseBrokers(text: string): readonly string[] | null {
  const brokers = text.split(',').map((broker) => broker.trim());
  return brokers.every(isBroker) ? brokers : null;
}

function isBroker(text: string): boolean {
  const parsed = parseAddress(text);
  return 'value' in parsed && parsed.value.port > 0;
}

const peerList = z
  .array(
    z.strictObject({
      region: z.string(),
      brokers: z.union([z.string(), z.array(z.string())]),
      admin: z.string(),
    }),
  )
  .max(63);

export function parsePeers(text: string): Parsed<readonly PeerConfig[]> {
  const takes =
    'a JSON array of {"region": name, "brokers": "host:port,…" or "postgres://role:password@host:port/database", ' +
    '"admin": "http://host:port"}, each region once';
  const list = peerList.safeParse(parseJson(text));
  if (!list.success) return { takes };
  const peers = list.data.map(parsePeer).filter((peer) => peer !== null);
  const names = new Set(peers.map((peer) => peer.region));
  const complete = peers.length === list.data.length && names.size === peers.length;
  return complete ? { value: peers } : { takes };
}

function parsePeer(raw: z.infer<typeof peerList>[number]): PeerConfig | null {
  const region = parseRegionId(raw.region);
  const log = parseLogPlace([raw.brokers].flat().join(','));
  if (region === null || log === null || !URL.canParse(raw.admin)) return null;
  const { protocol, origin, pathname, username, password } = new URL(raw.admin);
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  if (username !== '' || password !== '') return null;
  const admin = origin + pathname.replace(/\/$/, '');
  return { region, log, admin };
}

/** What may stand behind the address of a log: how the connection is secured, and nothing that could hold a secret. */
const logParameters = new Set(['sslmode', 'sslrootcert', 'sslcert', 'sslkey']);

function parseLogPlace(text: string): LogPlace | null {
  if (!/^postgres(?:ql)?:/.test(text)) {
    const brokers = parseBrokers(text);
    return brokers === null ? null : { kind: 'kafka', brokers };
  }
  if (!('value' in parseDatabaseUrl(text))) return null;
  const { username, hostname, searchParams } = new URL(text);
  const areKnown = [...searchParams.keys()].every((name) => logParameters.has(name));
  return username !== '' && hostname !== '' && areKnown ? { kind: 'postgres', url: text } : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const addressPattern = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9.-]{1,253})):([0-9]{1,5})$/;

export function parseAddress(text: string): Parsed<ListenAddress> {
  const match = addressPattern.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65535)) return { takes: 'host:port with a port from 0 to 65535' };
  return { value: { host, port } };
}

export function parseRoles(text: string): Parsed<ReadonlySet<Role>> {
  const names = text.split(',').map((name) => name.trim());
  if (!names.every(isRole)) return { takes: 'api, replicator, or both with a comma between' };
  return { value: new Set(names) };
}

function isRole(name: string): name is Role {
  return name === 'api' || name === 'replicator';
}

export function parseCollections(path: string): Parsed<Declarations> {
  if (path === '') return { value: new Map() };
  const text = readText(path);
  if (text === null)
    return {
      takes: `the path of a readable file of at most ${maxFileBytes} bytes`,
    };
  const parsed = parseDeclarations(text);
  if (parsed.kind === 'declared') return { value: parsed.declarations };
  return {
    takes: `a file of collection declarations, but in it: ${parsed.faults.join(' | ')}`,
  };
}

/** For the role that peers read the own log with; empty: none is set. */
export function parseLogPassword(text: string): Parsed<string> {
  if (text === '' || /^[!-~]{8,128}$/.test(text)) return { value: text };
  return { takes: '8 to 128 printable ASCII characters without spaces' };
}

export function parseSharedSecret(text: string): Parsed<string> {
  if (text === '' || /^[!-~]{16,256}$/.test(text)) return { value: text };
  return { takes: '16 to 256 printable ASCII characters without spaces, the same in every region' };
}

const mostReplicas = 9;

export function wholeNumber(least: number, most: number): (text: string) => Parsed<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? { value } : { takes: `a whole number from ${least} to ${most}` };
  };
}

/** `any`: as many as there are brokers when the topics are made, at most three. */
export function parseReplicas(text: string): Parsed<number | 'any'> {
  return text === '' ? { value: 'any' } : wholeNumber(1, mostReplicas)(text);
}

export function parseLogLevel(text: string): Parsed<LogLevel> {
  const level = logLevels.find((name) => name === text);
  return level === undefined ? { takes: `one of ${logLevels.join(', ')}` } : { value: level };
}

export function readText(path: string): string | null {
  try {
    const bytes = readFileSync(path);
    return bytes.length > maxFileBytes ? null : bytes.toString('utf8');
  } catch {
    return null;
  }
}

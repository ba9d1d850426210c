/**
 * The region process as a child: the program that users run, with the environment that users give it.
 * Its environment holds our settings and nothing else that begins with ISTHMUS_, for the process refuses
 * names that it does not know. It is started when it says that it is ready, and its log's last lines
 * are shown when it does not come to that. This module knows the program by its path alone.
 */
import { mkdir } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LocalError } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import type { Address } from './address.ts';
import { type Progress, progressOnStderr } from './progress.ts';
import { plainProgram, regionProgram } from './region-program.ts';
import { type KeySettings, keySettings } from './signing-keys.ts';
import { type Server, server } from './server.ts';
import { logTail, type ServerChild, startChild } from './server-child.ts';
import { diskError, openWorkFolder, type WorkFolder } from './work-folder.ts';

const demoCollections = fileURLToPath(new URL('../collections.json', import.meta.url));
/** Arguments of Node for region processes alone, with spaces between; for instance to take a profile, which names files. */
const nodeArgumentsName = 'ISTHMUS_LOCAL_NODE_ARGUMENTS';
const readyTimeoutMs = 60_000;
/** Longer than it asks peers that are silent; where they answer, nobody waits here for what they have. */
const joinTimeoutMs = 7000;
const readyPollMs = 25;
const requestTimeoutMs = 2_000;
const endTimeoutMs = 4_000;

export interface PeerAddresses {
  readonly region: string;
  /** Of its log: brokers, or the address of a Postgres. */
  readonly brokers: string;
  readonly admin: Address;
}

export interface RegionProcessOptions {
  readonly region: string;
  readonly database: string;
  readonly peers: readonly PeerAddresses[];
  /** A file of declarations; by default the demo's. */
  readonly collections?: string | undefined;
  /** Further ISTHMUS_ variables; where they name no brokers, the log lies in the region's Postgres. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  readonly keepIn?: string | undefined;
  /** Is told of a process that ends by itself, with the end of its log; by default on standard error. */
  readonly progress?: Progress | undefined;
}

export interface RegionProcess extends Server {
  /** Base address of the public listener. */
  readonly api: string;
  /** Base address of the admin listener. */
  readonly admin: string;
  readonly adminAddress: Address;
}

interface Site {
  readonly options: RegionProcessOptions;
  readonly folder: WorkFolder;
  readonly apiPort: number;
  readonly adminPort: number;
  readonly keys: KeySettings;
}

/** Chooses the addresses without starting anything, so that others can be told them first. */
export async function prepareRegionProcess(
  options: RegionProcessOptions,
): Promise<{ readonly adminAddress: Address; readonly start: () => Promise<RegionProcess> }> {
  const [apiPort, adminPort] = await Promise.all([findFreePort(), findFreePort()]);
  const peers = options.peers.map(({ region }) => region);
  const keys = keySettings(options.region, peers);
  return {
    adminAddress: { host: '127.0.0.1', port: adminPort },
    start: async () => {
      const folder = await openWorkFolder({ kind: 'region', keepIn: options.keepIn });
      const site: Site = { options, folder, apiPort, adminPort, keys };
      try {
        await mkdir(folder.path, { recursive: true });
        return handle(site, await startProcess(site));
      } catch (error) {
        await folder.remove();
        throw diskError(error);
      }
    },
  };
}

function handle(site: Site, first: ServerChild): RegionProcess {
  const { folder, apiPort, adminPort } = site;
  const life = server({
    logFile: join(folder.path, 'region.log'),
    first,
    start: () => startProcess(site),
    restartSignal: 'SIGTERM',
    stopSignal: 'SIGTERM',
    endTimeoutMs,
    cleanUp: async () => {
      releasePort(apiPort);
      releasePort(adminPort);
      await folder.remove();
    },
  });
  return {
    ...life,
    api: `http://127.0.0.1:${apiPort}`,
    admin: `http://127.0.0.1:${adminPort}`,
    adminAddress: { host: '127.0.0.1', port: adminPort },
  };
}

/** What the process is given: our variables and the user's environment without theirs. */
function environment({ options, apiPort, adminPort, keys }: Site): Record<string, string | undefined> {
  const foreign = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ISTHMUS_') && name !== 'NODE_OPTIONS',
  );
  const peers = options.peers.map(({ region, brokers, admin }) => ({
    region,
    brokers,
    admin: `http://${admin.host}:${admin.port}`,
  }));
  return {
    ...Object.fromEntries(foreign),
    ISTHMUS_REGION: options.region,
    ISTHMUS_DATABASE_URL: options.database,
    ISTHMUS_PEERS: JSON.stringify(peers),
    ISTHMUS_API_ADDRESS: `127.0.0.1:${apiPort}`,
    ISTHMUS_ADMIN_ADDRESS: `127.0.0.1:${adminPort}`,
    ISTHMUS_COLLECTIONS: options.collections ?? demoCollections,
    ...keys,
    ...options.settings,
  };
}

function nodeArguments(): readonly string[] {
  return (process.env[nodeArgumentsName] ?? '').split(' ').filter((argument) => argument !== '');
}

async function startProcess(site: Site): Promise<ServerChild> {
  const { options, folder, adminPort } = site;
  const logFile = join(folder.path, 'region.log');
  const given = nodeArguments();
  const child = await startChild({
    program: process.execPath,
    args: given.length === 0 ? [await regionProgram()] : [...given, plainProgram],
    env: environment(site),
    folder: folder.path,
    logFile,
  });
  try {
    await untilReady(child, { region: options.region, adminPort });
    await untilJoined(child, adminPort);
    void child.fallen.then((how) => tellFallen(site, how));
    return child;
  } catch (error) {
    await child.signal('SIGKILL');
    if (!(error instanceof LocalError)) throw error;
    const message = `${error.message}. Its log ends:\n${await logTail(logFile)}`;
    throw new LocalError(error.code, message, { remedy: error.remedy, cause: error });
  }
}

async function tellFallen({ options, folder }: Site, how: number | string): Promise<void> {
  const { region, progress = progressOnStderr } = options;
  const log = await logTail(join(folder.path, 'region.log'));
  progress(`The region process ${region} has ended by itself (${how}). Its log ends:\n${log}`);
}

async function untilReady(child: ServerChild, of: { region: string; adminPort: number }): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  const remedy = 'The lines of its log above say what it misses.';
  while (!(await isReady(of.adminPort))) {
    if (!child.isRunning()) {
      const how = String(await child.ended);
      throw new LocalError('server-failed', `The region process ${of.region} ended at start (${how})`, {
        remedy,
      });
    }
    if (Date.now() > deadline) {
      const late = `The region process ${of.region} was not ready within ${readyTimeoutMs} ms`;
      throw new LocalError('server-not-ready', late, { remedy });
    }
    await delay(readyPollMs);
  }
}

/** A region that is new takes its first write once it has met its peers, or has asked for long enough who is silent (0029). */
async function untilJoined(child: ServerChild, adminPort: number): Promise<void> {
  const deadline = Date.now() + joinTimeoutMs;
  const isJoining = async () => /"joining":\["/.test((await answer(adminPort, '/v1/identity')) ?? '');
  while (child.isRunning() && Date.now() < deadline && (await isJoining())) await delay(readyPollMs);
}

async function isReady(adminPort: number): Promise<boolean> {
  return (await answer(adminPort, '/readyz')) !== null;
}

/** `null`: anything but a page. */
function answer(adminPort: number, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: adminPort, path, agent: false };
    const request = get({ ...options, timeout: requestTimeoutMs }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (body += part));
      response.once('end', () => resolve(response.statusCode === 200 ? body : null));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(null));
    request.once('close', () => resolve(null));
  });
}

/**
 * A real Postgres 18 as a child process, on the loopback address and a free port.
 * It is durable as in production (fsync and synchronous commit are on) and decodes logically. A start
 * copies a template, so it takes well under a second. `kill` strikes the server and all its backends at
 * once; `restart` brings it back on the same port with the same data; `stop` removes everything.
 * Nothing survives this process, however it ends, except a folder that the caller asked to keep.
 */
import { chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isFolder } from './cache-folder.ts';
import { runCommand } from './command.ts';
import { LocalError } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.ts';
import { copyTemplate } from './postgres-template.ts';
import { type Server, server } from './server.ts';
import { type ServerChild, startChild } from './server-child.ts';
import { whenReady } from './server-start.ts';
import { type ServerUser, serverUser } from './server-user.ts';
import { diskError, openWorkFolder, type WorkFolder } from './work-folder.ts';

const readyTimeoutMs = 60_000;
const readyPollMs = 5;
const endTimeoutMs = 3_000;
const portAttempts = 5;

/** Data in memory-mapped files goes with the folder; `posix` would leave files in /dev/shm. */
const chosenSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  max_slot_wal_keep_size: '2GB',
  max_connections: '200',
  fsync: 'on',
  synchronous_commit: 'on',
  password_encryption: 'scram-sha-256',
  dynamic_shared_memory_type: 'mmap',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
};

export interface PostgresOptions {
  /** Settings of postgresql.conf, in place of or beside those that this module chooses. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A folder to keep the data in; a later start with the same folder goes on with it. */
  readonly keepIn?: string;
  /** Variables of the server's environment beside its own, such as a library to load before others. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Postgres extends Server {
  /** Connects the superuser to the database `postgres`; stays the same across restarts. */
  readonly url: string;
  readonly port: number;
}

interface Site {
  readonly folder: WorkFolder;
  readonly binaries: PostgresBinaries;
  readonly user: ServerUser | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const user = await serverUser();
  const binaries = await postgresBinaries(user);
  const folder = await openWorkFolder({ kind: 'postgres', keepIn: options.keepIn, user });
  const settings = { ...chosenSettings, ...options.settings };
  const site: Site = { folder, binaries, user, settings, environment: options.environment ?? {} };
  try {
    const password = await prepareData(site);
    const { port, child } = await startOnFreePort(site);
    return handle({ site, port, password, first: child });
  } catch (error) {
    await folder.remove();
    throw diskError(error);
  }
}

async function prepareData({ folder, binaries, user }: Site): Promise<string> {
  if (user !== undefined) await chown(folder.path, user.uid, user.gid);
  const passwordFile = join(folder.path, 'password');
  if (await isFolder(join(folder.path, 'data'))) return readFile(passwordFile, 'utf8');
  const password = await copyTemplate({ binaries, user }, folder.path);
  if (folder.kept) await writeFile(passwordFile, password, { mode: 0o600 });
  return password;
}

/** A port can be taken between being found and being bound: then another is tried. */
async function startOnFreePort(site: Site): Promise<{ port: number; child: ServerChild }> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort();
    try {
      return { port, child: await startServer(site, port) };
    } catch (error) {
      releasePort(port);
      const taken = error instanceof LocalError && error.code === 'port-in-use';
      if (!taken || attempt === portAttempts) throw error;
    }
  }
}

async function startServer(site: Site, port: number): Promise<ServerChild> {
  const settings = { ...site.settings, port: String(port) };
  const data = join(site.folder.path, 'data');
  const logFile = join(site.folder.path, 'postgres.log');
  const child = await startChild({
    program: site.binaries.postgres,
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', ...site.environment },
    folder: site.folder.path,
    logFile,
    user: site.user,
  });
  return whenReady(child, {
    name: 'Postgres',
    logFile,
    isReady: () => isReady(child, join(data, 'postmaster.pid')),
    timeoutMs: readyTimeoutMs,
    pollMs: readyPollMs,
    portInUse: `Port ${port} on 127.0.0.1 is in use`,
  });
}

/** The first line of the file is the server's process id, the eighth its state. */
async function isReady(child: ServerChild, pidFile: string): Promise<boolean> {
  const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready';
}

function handle(start: { site: Site; port: number; password: string; first: ServerChild }): Postgres {
  const { site, port, password, first } = start;
  const life = server({
    logFile: join(site.folder.path, 'postgres.log'),
    first,
    start: () => startServer(site, port),
    restartSignal: 'SIGINT',
    stopSignal: 'SIGQUIT',
    endTimeoutMs,
    cleanUp: async () => {
      await removeSegment(join(site.folder.path, 'data'));
      releasePort(port);
      await site.folder.remove();
    },
  });
  return { ...life, url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, port };
}

/** A killed server leaves its small segment of System V shared memory; its number is in the seventh line. */
async function removeSegment(dataFolder: string): Promise<void> {
  const pidFile = join(dataFolder, 'postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  const segment = lines[6]?.trim().split(/\s+/)[1];
  if (segment === undefined) return;
  await runCommand('ipcrm', ['-m', segment], { timeoutMs: endTimeoutMs });
  await rm(pidFile, { force: true });
}

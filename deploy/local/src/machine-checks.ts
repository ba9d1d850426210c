/**
 * Whether this machine can run the demo and the tests, and what to do where it cannot.
 * Each check looks and changes nothing: no user is made, nothing is loaded. A check that fails carries
 * the remedy. What is missing but will be made at the first start is no failure.
 */
import { constants } from 'node:fs';
import { access, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import { LocalError, systemCode } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import { checkJavaVersion, findJava, findMaven, findProgram, pathFolders } from './java.ts';
import { hasJars } from './kafka-jars.ts';
import { hasTemplate } from './kafka-template.ts';
import { findPostgresPackage } from './postgres-binaries.ts';
import { findServerUser } from './server-user.ts';

export const oldestNode = [20, 15] as const;
const neededDiskBytes = 1024 ** 3;

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
  /** Only Kafka needs it; without it the log of a local region lies in its Postgres. */
  readonly isForKafka: boolean;
}

const forKafka: ReadonlySet<string> = new Set(['java', 'maven']);

type Finding = Omit<Check, 'name' | 'isForKafka'>;

export async function checkMachine(): Promise<readonly Check[]> {
  const cached = await readdir(cacheFolder()).catch(() => []);
  const checks: Readonly<Record<string, () => Finding | Promise<Finding>>> = {
    node: checkNode,
    postgres: checkPostgres,
    'postgres user': checkUser,
    java: checkJava,
    maven: () => checkMaven(cached),
    tools: checkTools,
    cache: () => checkCache(cached),
    'temporary folder': checkTemporaryFolder,
    'disk space': checkDisk,
    ports: checkPorts,
  };
  return Promise.all(Object.entries(checks).map(([name, check]) => conclude(name, check)));
}

async function conclude(name: string, check: () => Finding | Promise<Finding>): Promise<Check> {
  const isForKafka = forKafka.has(name);
  try {
    return { name, isForKafka, ...(await check()) };
  } catch (error) {
    if (!(error instanceof LocalError)) throw error;
    return { name, isForKafka, ok: false, detail: error.message, remedy: error.remedy };
  }
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  const remedy = `Install Node ${oldestNode.join('.')} or newer.`;
  return { ok, detail: `Node ${process.versions.node}`, ...(ok ? {} : { remedy }) };
}

async function checkPostgres(): Promise<Finding> {
  const { folder, version } = findPostgresPackage();
  await access(join(folder, 'native/bin/postgres'), constants.X_OK).catch((cause: unknown) => {
    throw new LocalError('platform-unsupported', `The programs in ${folder} cannot be run`, {
      remedy: 'Run npm ci again, on a file system that is not mounted noexec.',
      cause,
    });
  });
  return { ok: true, detail: `Postgres ${version}` };
}

async function checkUser(): Promise<Finding> {
  if (process.getuid?.() !== 0) return { ok: true, detail: 'not root: Postgres runs as yourself' };
  const user = await findServerUser();
  if (user !== undefined) return { ok: true, detail: `root: Postgres runs as ${user.name} (${user.uid})` };
  const folders = [...pathFolders(), '/usr/sbin', '/sbin'];
  const maker = (await findProgram('useradd', folders)) ?? (await findProgram('adduser', folders));
  if (maker !== undefined) return { ok: true, detail: `root: ${maker} will make the user isthmus` };
  return {
    ok: false,
    detail: 'root, and neither useradd nor adduser is installed',
    remedy: 'Run as another user than root; Postgres refuses to run as root.',
  };
}

async function checkJava(): Promise<Finding> {
  const java = await findJava();
  return { ok: true, detail: `Java ${await checkJavaVersion(java)} at ${java.program}` };
}

async function checkMaven(cached: readonly string[]): Promise<Finding> {
  if (hasJars(cached)) return { ok: true, detail: 'not needed: Apache Kafka is loaded' };
  return { ok: true, detail: await findMaven() };
}

async function checkTools(): Promise<Finding> {
  const missing: string[] = [];
  for (const name of ['sh', 'cp', 'rm', 'sed', 'ipcrm']) {
    if ((await findProgram(name, pathFolders())) === undefined) missing.push(name);
  }
  if (missing.length === 0) return { ok: true, detail: 'sh, cp, rm, sed and ipcrm are there' };
  const remedy = 'Install them (on Debian: coreutils, sed and util-linux).';
  return { ok: false, detail: `missing: ${missing.join(', ')}`, remedy };
}

async function checkCache(cached: readonly string[]): Promise<Finding> {
  const folder = cacheFolder();
  const writable = await access(await nearestFolder(folder), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!writable) {
    const remedy = 'Make it writable, or set XDG_CACHE_HOME to a folder that is.';
    return { ok: false, detail: `${folder} cannot be written`, remedy };
  }
  const parts = [
    ['Kafka loaded', hasJars(cached)],
    ['Kafka prepared', hasTemplate(cached)],
    ['Postgres prepared', cached.some((name) => name.startsWith('postgres-'))],
  ] as const;
  const warm = parts.filter(([, there]) => there).map(([part]) => part);
  const detail = warm.length === 0 ? 'empty: the first start fills it' : warm.join(', ');
  return { ok: true, detail: `${detail} (${folder})` };
}

/** The folder itself, or the one above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  return there || path === '/' ? path : nearestFolder(join(path, '..'));
}

async function checkTemporaryFolder(): Promise<Finding> {
  try {
    const folder = await mkdtemp(join(tmpdir(), 'isthmus-doctor-'));
    await rm(folder, { recursive: true });
    return { ok: true, detail: tmpdir() };
  } catch (error) {
    const detail = `${tmpdir()} cannot be written (${systemCode(error) ?? 'unknown'})`;
    return { ok: false, detail, remedy: 'Free some space, or set TMPDIR to a folder that is writable.' };
  }
}

async function checkDisk(): Promise<Finding> {
  const places = await Promise.all([tmpdir(), cacheFolder(), homedir()].map(nearestFolder));
  const free = await Promise.all(places.map(async (place) => ({ place, bytes: await freeBytes(place) })));
  const least = free.reduce((low, each) => (each.bytes < low.bytes ? each : low));
  const detail = `${(least.bytes / 1024 ** 3).toFixed(1)} GB free in ${least.place}`;
  if (least.bytes >= neededDiskBytes) return { ok: true, detail };
  return { ok: false, detail, remedy: 'Free at least 1 GB, or set TMPDIR and XDG_CACHE_HOME elsewhere.' };
}

async function freeBytes(place: string): Promise<number> {
  const { bavail, bsize } = await statfs(place);
  return bavail * bsize;
}

async function checkPorts(): Promise<Finding> {
  const port = await findFreePort();
  releasePort(port);
  return { ok: true, detail: 'free ports on 127.0.0.1 are there' };
}

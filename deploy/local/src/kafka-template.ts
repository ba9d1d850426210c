/**
 * What a quick start of Kafka needs besides its jars, made once per user and Java:
 * an archive of loaded classes, which halves the start, and a formatted, empty storage folder, which
 * saves a run of the storage tool. The archive is written by a real Kafka as it ends. The storage names
 * no address, so copies may listen anywhere; each copy gets a cluster id of its own.
 */
import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedEntry } from './cache-folder.ts';
import { runCommand } from './command.ts';
import { LocalError, systemCode } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import { checkJavaVersion, type Java } from './java.ts';
import { kafkaVersion, type KafkaJars } from './kafka-jars.ts';
import { javaEnvironment, type KafkaProgram, kafkaArgs, runKafka } from './kafka-process.ts';
import { kafkaProperties } from './kafka-settings.ts';
import type { Progress } from './progress.ts';
import { openWorkFolder } from './work-folder.ts';

const formatTimeoutMs = 60_000;
const archiveTimeoutMs = 60_000;
const portAttempts = 5;

export interface KafkaTemplate {
  readonly program: KafkaProgram;
  readonly storage: string;
}

/** Kafka's ids are 16 random bytes in base64url that do not start with a dash. */
function newKafkaId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

export async function kafkaTemplate(java: Java, jars: KafkaJars, progress: Progress): Promise<KafkaTemplate> {
  const key = createHash('sha256').update(`${java.fingerprint} ${jars.hash}`).digest('hex').slice(0, 12);
  const make = (draft: string): Promise<void> => makeTemplate({ java, jars, draft, progress });
  const folder = await cachedEntry(`kafka-${kafkaVersion}-start-${key}`, make);
  const archiveArgs = [`-XX:SharedArchiveFile=${join(folder, 'classes.jsa')}`];
  return { program: { java, jars, archiveArgs }, storage: join(folder, 'storage') };
}

/** Whether there is one, be it for another Java, among the entries of the cache folder. */
export function hasTemplate(cached: readonly string[]): boolean {
  return cached.some((name) => name.startsWith(`kafka-${kafkaVersion}-start-`));
}

/** Copies the formatted storage to `dataFolder`, as a cluster of its own. */
export async function copyStorage(template: KafkaTemplate, dataFolder: string): Promise<void> {
  await cp(template.storage, dataFolder, { recursive: true });
  const path = join(dataFolder, 'meta.properties');
  const text = await readFile(path, 'utf8');
  const own = text
    .replace(/^cluster\.id=.*$/m, `cluster.id=${newKafkaId()}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${newKafkaId()}`);
  await writeFile(path, own);
}

interface Making {
  readonly java: Java;
  readonly jars: KafkaJars;
  readonly draft: string;
  readonly progress: Progress;
}

async function makeTemplate({ java, jars, draft, progress }: Making): Promise<void> {
  const version = await checkJavaVersion(java);
  progress(`Preparing Apache Kafka for quick starts with Java ${version} (once)`);
  const work = await openWorkFolder({ kind: 'build' });
  try {
    const dataFolder = join(work.path, 'data');
    const plain: KafkaProgram = { java, jars, archiveArgs: [] };
    await writeProperties(work.path, [1, 2]);
    await format(plain, work.path);
    await cp(dataFolder, join(draft, 'storage'), { recursive: true });
    const archive = join(work.path, 'classes.jsa');
    await train({ ...plain, archiveArgs: [`-XX:ArchiveClassesAtExit=${archive}`] }, work.path);
    await cp(archive, join(draft, 'classes.jsa')).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
      progress('This Java makes no archive of classes; Kafka will take a second longer to start');
    });
  } finally {
    await work.remove();
  }
}

async function writeProperties(folder: string, ports: readonly [number, number]): Promise<void> {
  const [port, controllerPort] = ports;
  const listeners = [{ name: 'LOCAL', port, advertised: { host: '127.0.0.1', port } }];
  const dataFolder = join(folder, 'data');
  await mkdir(folder, { recursive: true });
  const properties = kafkaProperties({ dataFolder, controllerPort, listeners, settings: {} });
  await writeFile(join(folder, 'server.properties'), properties);
}

async function format(program: KafkaProgram, folder: string): Promise<void> {
  const tool = ['kafka.tools.StorageTool', 'format', '-t', newKafkaId(), '-c'];
  const args = [...kafkaArgs(program, folder), ...tool, join(folder, 'server.properties')];
  const result = await runCommand(program.java.program, args, {
    timeoutMs: formatTimeoutMs,
    env: javaEnvironment(),
  });
  if (result.kind === 'done') return;
  const said = result.kind === 'failed' ? result.tail : 'Java is gone';
  throw new LocalError('command-failed', `Kafka's storage tool failed: ${said}`, {
    remedy: 'See that the disk has space and that java runs.',
  });
}

/** Runs one Kafka to its end, so that the archive holds what a start loads. */
async function train(program: KafkaProgram, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const ports = [await findFreePort(), await findFreePort()] as const;
    try {
      await rm(join(folder, 'kafka.log'), { force: true });
      await writeProperties(folder, ports);
      const child = await runKafka(program, folder);
      return await child.end('SIGTERM', archiveTimeoutMs);
    } catch (error) {
      const taken = error instanceof LocalError && error.code === 'port-in-use';
      if (!taken || attempt === portAttempts) throw error;
    } finally {
      for (const port of ports) releasePort(port);
    }
  }
}

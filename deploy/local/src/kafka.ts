/**
 * A real Apache Kafka as a child process: one node, broker and controller, on free ports.
 * It has one listener for its own region and one more per name that the caller gives, each told to
 * clients under an address of the caller's choice, so that a proxy can stand before it. `kill` strikes
 * it like a fault, `restart` brings it back on the same ports with the same log, `stop` removes all.
 * Nothing survives this process, however it ends, except a folder that the caller asked to keep.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from './address.ts';
import { isFolder } from './cache-folder.ts';
import { LocalError } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import { findJava } from './java.ts';
import { kafkaJars } from './kafka-jars.ts';
import { type KafkaTuning, runKafka } from './kafka-process.ts';
import { type KafkaListener, kafkaProperties } from './kafka-settings.ts';
import { copyStorage, type KafkaTemplate, kafkaTemplate } from './kafka-template.ts';
import { type Progress, progressOnStderr } from './progress.ts';
import { type Server, server } from './server.ts';
import type { ServerChild } from './server-child.ts';
import { diskError, openWorkFolder, type WorkFolder } from './work-folder.ts';

const endTimeoutMs = 4_000;
const portAttempts = 5;
const ownListener = 'LOCAL';

export interface KafkaOptions {
  /** Further listeners by name, each with the address that clients are told. */
  readonly listeners?: Readonly<Record<string, { readonly advertised: Address }>>;
  /** Settings of server.properties, in place of or beside those that this module chooses. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A folder to keep the log in; a later start with the same folder goes on with it. */
  readonly keepIn?: string;
  /** By default `quick-start`. */
  readonly tuning?: KafkaTuning;
  readonly progress?: Progress;
}

export interface Kafka extends Server {
  /** `host:port` of the own region's listener; stays the same across restarts. */
  readonly brokers: string;
  /** Where each further listener really listens: what a proxy must forward to. */
  readonly listeners: Readonly<Record<string, Address>>;
}

interface Site {
  readonly folder: WorkFolder;
  readonly template: KafkaTemplate;
  readonly options: KafkaOptions;
}

interface Ports {
  readonly controller: number;
  readonly own: number;
  readonly further: Readonly<Record<string, number>>;
}

export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const progress = options.progress ?? progressOnStderr;
  const java = await findJava();
  const jars = await kafkaJars(progress);
  const template = await kafkaTemplate(java, jars, progress);
  const folder = await openWorkFolder({ kind: 'kafka', keepIn: options.keepIn });
  const site: Site = { folder, template, options };
  try {
    const data = join(folder.path, 'data');
    if (!(await isFolder(data))) await copyStorage(template, data);
    await mkdir(folder.path, { recursive: true });
    const { ports, child } = await startOnFreePorts(site);
    return handle(site, ports, child);
  } catch (error) {
    await folder.remove();
    throw diskError(error);
  }
}

/** Ports can be taken between being found and being bound: then others are tried. */
async function startOnFreePorts(site: Site): Promise<{ ports: Ports; child: ServerChild }> {
  for (let attempt = 1; ; attempt++) {
    const ports = await findPorts(Object.keys(site.options.listeners ?? {}));
    try {
      await writeProperties(site, ports);
      return { ports, child: await run(site) };
    } catch (error) {
      releasePorts(ports);
      const taken = error instanceof LocalError && error.code === 'port-in-use';
      if (!taken || attempt === portAttempts) throw error;
    }
  }
}

function run({ template, folder, options }: Site): Promise<ServerChild> {
  return runKafka(template.program, folder.path, options.tuning ?? 'quick-start');
}

async function findPorts(names: readonly string[]): Promise<Ports> {
  const further = await Promise.all(names.map(async (name) => [name, await findFreePort()] as const));
  const [controller, own] = await Promise.all([findFreePort(), findFreePort()]);
  return { controller, own, further: Object.fromEntries(further) };
}

function releasePorts(ports: Ports): void {
  for (const port of [ports.controller, ports.own, ...Object.values(ports.further)]) releasePort(port);
}

async function writeProperties({ folder, options }: Site, ports: Ports): Promise<void> {
  const own = { name: ownListener, port: ports.own, advertised: { host: '127.0.0.1', port: ports.own } };
  const further = Object.entries(options.listeners ?? {}).map(([name, { advertised }], index) => {
    const port = ports.further[name];
    assert(port !== undefined, `the listener ${name} has a port`);
    return { name: `LINK${index}`, port, advertised } satisfies KafkaListener;
  });
  const properties = kafkaProperties({
    dataFolder: join(folder.path, 'data'),
    controllerPort: ports.controller,
    listeners: [own, ...further],
    settings: options.settings ?? {},
  });
  await writeFile(join(folder.path, 'server.properties'), properties);
}

function handle(site: Site, ports: Ports, first: ServerChild): Kafka {
  const { folder } = site;
  const life = server({
    logFile: join(folder.path, 'kafka.log'),
    first,
    start: () => run(site),
    restartSignal: 'SIGTERM',
    stopSignal: folder.kept ? 'SIGTERM' : 'SIGKILL',
    endTimeoutMs,
    cleanUp: async () => {
      releasePorts(ports);
      await folder.remove();
    },
  });
  const listeners = Object.entries(ports.further).map(([name, port]) => [name, { host: '127.0.0.1', port }]);
  return { ...life, brokers: `127.0.0.1:${ports.own}`, listeners: Object.fromEntries(listeners) };
}

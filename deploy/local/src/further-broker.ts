/**
 * One more broker for a local Kafka that runs already, so that leaders can move. It is no controller: the first node
 * decides. It joins by what the first one's folder says of its cluster. It has a listener of each name that the first
 * one has, but all are told under their own addresses: what peers read from it passes no link.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';
import { findJava } from './java.ts';
import { kafkaJars } from './kafka-jars.ts';
import { runKafka } from './kafka-process.ts';
import { type KafkaListener, kafkaProperties } from './kafka-settings.ts';
import { copyStorage, kafkaTemplate } from './kafka-template.ts';
import type { Progress } from './progress.ts';
import { type Server, server } from './server.ts';

const END_TIMEOUT_MS = 4_000;

export interface FurtherBrokerOptions {
  /** The folder that the first node keeps its log in. */
  readonly beside: string;
  /** A folder of its own, which the caller removes. */
  readonly keepIn: string;
  readonly nodeId: number;
  readonly progress: Progress;
}

export interface FurtherBroker extends Server {
  /** `host:port` of the own region's listener. */
  readonly brokers: string;
}

export async function startFurtherBroker(options: FurtherBrokerOptions): Promise<FurtherBroker> {
  const { beside, keepIn, nodeId, progress } = options;
  const java = await findJava();
  const template = await kafkaTemplate(java, await kafkaJars(progress), progress);
  const data = join(keepIn, 'data');
  await mkdir(keepIn, { recursive: true });
  await copyStorage(template, data);
  await joinCluster(join(beside, 'data', 'meta.properties'), join(data, 'meta.properties'), nodeId);
  const first = await readFile(join(beside, 'server.properties'), 'utf8');
  const listeners = await listenersLike(valueOf(first, 'listeners'));
  const own = listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(',');
  const properties = kafkaProperties({
    dataFolder: data,
    controllerPort: Number(valueOf(first, 'controller.quorum.voters').split(':').at(-1)),
    listeners,
    settings: { 'process.roles': 'broker', 'node.id': String(nodeId), listeners: own },
  });
  await writeFile(join(keepIn, 'server.properties'), properties);
  const start = () => runKafka(template.program, keepIn);
  const life = server({
    logFile: join(keepIn, 'kafka.log'),
    first: await start(),
    start,
    restartSignal: 'SIGTERM',
    stopSignal: 'SIGKILL',
    endTimeoutMs: END_TIMEOUT_MS,
    cleanUp: async () => {
      for (const { port } of listeners) releasePort(port);
      await Promise.resolve();
    },
  });
  return { ...life, brokers: `127.0.0.1:${listeners[0]?.port ?? 0}` };
}

/** The storage was formatted for another node of another cluster. */
async function joinCluster(firstPath: string, ownPath: string, nodeId: number): Promise<void> {
  const cluster = valueOf(await readFile(firstPath, 'utf8'), 'cluster.id');
  const own = await readFile(ownPath, 'utf8');
  const joined = own
    .replace(/^cluster\.id=.*$/m, `cluster.id=${cluster}`)
    .replace(/^node\.id=.*$/m, `node.id=${nodeId}`);
  await writeFile(ownPath, joined);
}

async function listenersLike(text: string): Promise<readonly KafkaListener[]> {
  const names = text.split(',').map((listener) => listener.split(':')[0] ?? '');
  const wanted = names.filter((name) => name !== 'CONTROLLER');
  return Promise.all(
    wanted.map(async (name) => {
      const port = await findFreePort();
      return { name, port, advertised: { host: '127.0.0.1', port } };
    }),
  );
}

function valueOf(properties: string, name: string): string {
  const line = properties.split('\n').find((each) => each.startsWith(`${name}=`));
  if (line !== undefined) return line.slice(name.length + 1).trim();
  throw new LocalError('server-not-ready', `the first Kafka has no ${name}`, {
    remedy: 'Start it before the further broker, and keep its log in the folder that is named.',
  });
}

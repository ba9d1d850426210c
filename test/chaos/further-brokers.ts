/**
 * Further nodes for a local Kafka that runs already, so that leaders and the controller can move. All of them are brokers
 * and controllers; the first one is started anew as one of three voters. It votes before there are two that
 * know nothing, so nobody but the first can lead them until they know what it knows. They join by what the first one's
 * folder says of its cluster, and have a listener of each name that it has, but all are told under their own addresses:
 * what peers read from them passes no link.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalError } from '@isthmus/local/errors';
import { findFreePort, releasePort } from '@isthmus/local/free-port';
import { findJava } from '@isthmus/local/java';
import { kafkaJars } from '@isthmus/local/kafka-jars';
import { runKafka } from '@isthmus/local/kafka-process';
import { type KafkaListener, kafkaProperties } from '@isthmus/local/kafka-settings';
import { copyStorage, type KafkaTemplate, kafkaTemplate } from '@isthmus/local/kafka-template';
import type { Progress } from '@isthmus/local/progress';
import { type Server, server } from '@isthmus/local/server';
import type { ServerChild } from '@isthmus/local/server-child';

const endTimeoutMs = 4_000;
const voterSetting = 'controller.quorum.voters';

/** The node that a local Kafka is started with. */
export const firstNode = 1;

export interface FurtherBrokersOptions {
  readonly first: Server;
  /** The folder that the first node keeps its log in. */
  readonly beside: string;
  /** Numbers of the two others, each with a folder of its own, which the caller removes. */
  readonly nodes: readonly [FurtherNode, FurtherNode];
  readonly progress: Progress;
}

export interface FurtherNode {
  readonly nodeId: number;
  readonly keepIn: string;
}

/** Resolves when all three serve. The first one is away for a moment. */
export async function startFurtherBrokers(
  options: FurtherBrokersOptions,
): Promise<readonly [Server, Server]> {
  const { first, beside, nodes, progress } = options;
  const template = await kafkaTemplate(await findJava(), await kafkaJars(progress), progress);
  const path = join(beside, 'server.properties');
  const properties = await readFile(path, 'utf8');
  const ports = [await findFreePort(), await findFreePort()] as const;
  const voters = [
    valueOf(properties, voterSetting),
    ...nodes.map(({ nodeId }, index) => `${nodeId}@127.0.0.1:${ports[index] ?? 0}`),
  ].join(',');
  const prepare = (index: 0 | 1): Promise<Prepared> =>
    prepareNode({ template, beside, properties, voters, controllerPort: ports[index], ...nodes[index] });
  const [second, third] = [await prepare(0), await prepare(1)];
  await writeFile(path, properties.replace(/^controller\.quorum\.voters=.*$/m, `${voterSetting}=${voters}`));
  // Neither of the two serves before the other votes.
  const [started] = await Promise.all([second.start(), first.restart()]);
  return [handle(second, started), handle(third, await third.start())];
}

interface NodePlan extends FurtherNode {
  readonly template: KafkaTemplate;
  readonly beside: string;
  /** Of the first node. */
  readonly properties: string;
  readonly voters: string;
  readonly controllerPort: number;
}

interface Prepared {
  readonly keepIn: string;
  readonly ports: readonly number[];
  readonly start: () => Promise<ServerChild>;
}

async function prepareNode(plan: NodePlan): Promise<Prepared> {
  const { template, beside, properties, voters, controllerPort, nodeId, keepIn } = plan;
  const data = join(keepIn, 'data');
  await mkdir(keepIn, { recursive: true });
  await copyStorage(template, data);
  await joinCluster(join(beside, 'data', 'meta.properties'), join(data, 'meta.properties'), nodeId);
  const listeners = await listenersLike(valueOf(properties, 'listeners'));
  const settings = { 'node.id': String(nodeId), [voterSetting]: voters };
  const own = kafkaProperties({ dataFolder: data, controllerPort, listeners, settings });
  await writeFile(join(keepIn, 'server.properties'), own);
  const ports = [controllerPort, ...listeners.map(({ port }) => port)];
  return { keepIn, ports, start: () => runKafka(template.program, keepIn) };
}

function handle({ keepIn, ports, start }: Prepared, first: ServerChild): Server {
  return server({
    logFile: join(keepIn, 'kafka.log'),
    first,
    start,
    restartSignal: 'SIGTERM',
    stopSignal: 'SIGKILL',
    endTimeoutMs,
    cleanUp: async () => {
      for (const port of ports) releasePort(port);
      await Promise.resolve();
    },
  });
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

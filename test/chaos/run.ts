/**
 * One run of one scenario with one seed, on servers of its own or on such as another run has left: load, the fault, its
 * end, convergence within a deadline, and the verdict. However it ends, its own servers are stopped and their folder is
 * gone.
 */
import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, startCluster } from '@isthmus/local/cluster';
import type { History, Violation } from '../checkers/history.ts';
import { until } from '../until.ts';
import { type ChaosRegion, chaosRegion } from './chaos-region.ts';
import { Endings } from './endings.ts';
import { readFinals } from './finals.ts';
import { judgeAvailability, judgeFinals } from './judge.ts';
import { Load } from './load.ts';
import { Oracle } from './oracle.ts';
import { randomFrom } from '@isthmus/loadtest/random';
import type { OnEnd, Scenario } from './scenario.ts';
import { leastOverlap, Stage } from './stage.ts';

export interface Ran {
  readonly proof: string;
  readonly history: History;
  readonly stage: Stage;
  readonly oracle: Oracle;
  readonly convergedMs: number;
  readonly violations: readonly Violation[];
}

const connectedDeadlineMs = 60_000;
const warmDeadlineMs = 60_000;
const convergedDeadlineMs = 150_000;
const warmWrites = 300;
/** After the fault, so that what it left behind meets new work. */
const writesAfter = 400;

/** Regions that run. */
export interface Ground {
  readonly cluster: Cluster;
  /** Where they keep their data. */
  readonly folder: string;
}

/** What the scenario needs. Its end stops the servers and removes the folder. */
export async function startGround(
  { regions, prepare, databaseEnvironment }: Pick<Scenario, 'regions' | 'prepare' | 'databaseEnvironment'>,
  onEnd: OnEnd,
): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'isthmus-chaos-'));
  // The servers run as another user where we are root.
  chmodSync(folder, 0o755);
  onEnd(() => rmSync(folder, { recursive: true, force: true }));
  await prepare?.(folder, onEnd);
  const cluster = await startCluster({
    regions,
    keepIn: folder,
    progress: () => undefined,
    postgresEnvironment: (region) => databaseEnvironment?.(region, folder) ?? {},
  });
  onEnd(() => cluster.stop());
  return { cluster, folder };
}

/** By default on ground of its own. What is given stays, with its links whole; no two runs on it have one seed. */
export async function runScenario(
  scenario: Scenario,
  seed: number,
  given: Ground | null = null,
): Promise<Ran> {
  const endings = new Endings();
  const onEnd: OnEnd = (end) => endings.add(end);
  try {
    const { cluster, folder } = given ?? (await startGround(scenario, onEnd));
    onEnd(() => cluster.links.all.forEach((link) => link.set({ state: 'ok' })));
    return await runOn(cluster, { scenario, seed, folder, onEnd });
  } finally {
    await endings.run();
  }
}

interface Staging {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly folder: string;
  /** Newest first, before the servers are stopped. */
  readonly onEnd: OnEnd;
}

async function runOn(cluster: Cluster, { scenario, seed, folder, onEnd }: Staging): Promise<Ran> {
  const regions = cluster.regions.map(chaosRegion);
  await allConnected(regions);
  let stage: Stage | null = null;
  const { destroyed } = scenario;
  const oracle = new Oracle({
    regions,
    isCalm: () => stage?.isCalm ?? false,
    isWhole: (one, other) => stage?.isWhole(one, other) ?? false,
  });
  const clients = regions.map(({ client }) => client);
  const load = new Load({ clients, seed, onEvent: (event) => oracle.note(event) });
  onEnd(() => Promise.all([load.stop(), oracle.stop()]));
  oracle.start();
  stage = new Stage({
    regions,
    links: cluster.links,
    load,
    oracle,
    seed,
    next: randomFrom(seed),
    folder,
    destroyed,
    onEnd,
  });
  await until('writers are warm', warmDeadlineMs, () => load.acknowledged() >= warmWrites);
  const proof = await scenario.run(stage);
  const after = load.acknowledged();
  await until('writes go on', warmDeadlineMs, () => load.acknowledged() >= after + writesAfter);
  const history = await load.stop();
  const survivors = regions.filter(({ name }) => !destroyed.includes(name));
  const startedMs = performance.now();
  await allConverged(survivors);
  const convergedMs = performance.now() - startedMs;
  await allQuiet(survivors, destroyed.length === 0);
  const dishonest = await oracle.stop(survivors.map(({ name }) => name));
  const finals = await Promise.all(
    survivors.map(async ({ name, client }) => [name, await readFinals(client, load.prefix)] as const),
  );
  const lost = scenario.isLossy ? [] : judgeFinals(history, new Map(finals));
  const violations = [
    ...lost,
    ...(scenario.judge?.({ history, finals: new Map(finals), oracle, seed }) ?? []),
    ...judgeAvailability(history, stage.struck),
    ...dishonest,
    ...shortWindows(stage),
  ];
  return { proof, history, stage, oracle, convergedMs, violations };
}

async function allConnected(regions: readonly ChaosRegion[]): Promise<void> {
  for (const { name, client } of regions)
    await until(`all links of ${name} are connected`, connectedDeadlineMs, async () =>
      (await client.status()).peers.every(({ link }) => link === 'connected'),
    );
}

async function allConverged(regions: readonly ChaosRegion[]): Promise<void> {
  await until('equal digests', convergedDeadlineMs, async () => {
    const digests = await Promise.all(regions.map(({ client }) => client.digest('products')));
    if (new Set(digests).size > 1) throw new Error(`digests ${digests.join(' ')}`);
    return true;
  });
}

/** Nothing is left to be repaired, and where everybody is there, everybody says so. */
async function allQuiet(regions: readonly ChaosRegion[], areAllThere: boolean): Promise<void> {
  for (const { name, client } of regions)
    await until(`${name} is quiet`, convergedDeadlineMs, async () => {
      const { gaps, transfers, peers } = await client.status();
      const isQuiet = gaps === 0 && transfers === 0;
      const isConnected = peers.every(
        ({ link, lagSeconds }) => link === 'connected' && (lagSeconds ?? Infinity) < 2,
      );
      if (isQuiet && (isConnected || !areAllThere)) return true;
      throw new Error(`gaps ${gaps}, transfers ${transfers}, ${JSON.stringify(peers)}`);
    });
}

/** A fault that met hardly any write proves nothing. */
function shortWindows({ windows }: Stage): readonly Violation[] {
  return windows
    .filter(({ acknowledged }) => acknowledged < leastOverlap)
    .map(({ fault, acknowledged }) => ({
      checker: 'overlap',
      key: fault,
      detail: `${acknowledged} acknowledged writes, at least ${leastOverlap} are needed`,
    }));
}

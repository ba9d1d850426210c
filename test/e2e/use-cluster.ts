/**
 * Two regions on servers of their own for the tests of a file, whose folders outlive a stop: started before the first, and
 * ended after the last with nothing left. A test takes them as the one before has left them, so its records have keys of
 * their own. Where a demo is one process, here each server and each region process is stopped alone.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, type ClusterRegion, startCluster } from '@isthmus/local/cluster';
import { afterAll, beforeAll, expect } from 'vitest';
import { logUnderTest } from './log-under-test.ts';
import { RegionClient } from './region-client.ts';

export interface UsedCluster {
  readonly cluster: Cluster;
  readonly folder: string;
  readonly eu: ClusterRegion;
  readonly us: ClusterRegion;
  readonly clients: { readonly eu: RegionClient; readonly us: RegionClient };
}

const startDeadlineMs = 150_000;
const stopDeadlineMs = 60_000;

/** What it returns can be used once the tests run. */
export function useCluster(name: string): UsedCluster {
  let used: UsedCluster | null = null;
  const started = (): UsedCluster => used ?? expect.fail('two regions run');
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), `isthmus-${name}-`));
    // The servers run as a user of their own and must come through to their folders.
    chmodSync(folder, 0o755);
    const cluster = await startCluster({ regions: ['eu', 'us'], log: logUnderTest(), keepIn: folder });
    const [eu = expect.fail('eu runs'), us = expect.fail('us runs')] = cluster.regions;
    const clients = {
      eu: new RegionClient({ region: 'eu', ...eu.process }),
      us: new RegionClient({ region: 'us', ...us.process }),
    };
    used = { cluster, folder, eu, us, clients };
  }, startDeadlineMs);
  afterAll(async () => {
    const { cluster, folder } = started();
    used = null;
    await endAtOnce(cluster);
    rmSync(folder, { recursive: true, force: true });
  }, stopDeadlineMs);
  return {
    get cluster() {
      return started().cluster;
    },
    get folder() {
      return started().folder;
    },
    get eu() {
      return started().eu;
    },
    get us() {
      return started().us;
    },
    get clients() {
      return started().clients;
    },
  };
}

/** What it kept goes with it, so that nobody waits for its servers to end in good order. */
export async function endAtOnce(cluster: Cluster): Promise<void> {
  const servers = cluster.regions.flatMap(({ process, kafka, postgres }) => [process, kafka, postgres]);
  await Promise.all(servers.filter((server) => server !== null).map((server) => server.kill('SIGKILL')));
  await cluster.stop();
}

/** Process and database are killed at once. */
export async function halt({ process, postgres }: ClusterRegion): Promise<void> {
  await process.kill('SIGKILL');
  await postgres.kill('SIGKILL');
}

export async function go({ process, postgres }: ClusterRegion): Promise<void> {
  await postgres.restart();
  await process.restart();
}

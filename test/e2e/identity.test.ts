/**
 * One identity (P1, I11) on real servers: a database that was restored from an older copy, and a copy that is started
 * beside the living one, take no write, say why, and leave the others alone.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '@isthmus/local/cluster';
import type { Cluster, ClusterRegion } from '@isthmus/local/cluster';
import { startPostgres } from '@isthmus/local/postgres';
import { prepareRegionProcess } from '@isthmus/local/region-process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../until.ts';
import { RegionClient } from './region-client.ts';
import { converged } from './verdict.ts';

let folder: string;
let cluster: Cluster;
let [eu, us]: ClusterRegion[] = [];
let clients: { readonly eu: RegionClient; readonly us: RegionClient };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-identity-'));
  execFileSync('chmod', ['755', folder]);
  cluster = await startCluster({ regions: ['eu', 'us'], keepIn: folder });
  [eu, us] = cluster.regions;
  clients = {
    eu: new RegionClient({ region: 'eu', ...site(eu).process }),
    us: new RegionClient({ region: 'us', ...site(us).process }),
  };
}, 150_000);

afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

test('a database restored from an older copy takes no write, says why, and is not taken for itself', async () => {
  await write(3);
  await halt(site(eu));
  execFileSync('cp', ['-a', data(), join(folder, 'copy')]);
  await go(site(eu));
  await write(4);
  await halt(site(eu));
  rmSync(data(), { recursive: true });
  execFileSync('cp', ['-a', join(folder, 'copy'), data()]);
  await go(site(eu));
  await until(
    'the database is refused',
    20_000,
    async () => (await guard(site(eu).process.admin)).kind === 'refused',
  );
  expect(await guard(site(eu).process.admin)).toMatchObject({
    reason: expect.stringMatching(/own log|change of its own/),
  });
  const refused = await clients.eu.patch('products', 'counted', { increment: { likes: 1 } });
  expect(refused).toMatchObject({ status: 503, body: { code: 'database-unavailable' } });
  expect(await likes(clients.eu), 'reads go on').toBe(3);
  expect(await likes(clients.us), 'and the peer keeps what was acknowledged').toBe(7);
  expect(await clients.eu.metrics()).toMatch(/^isthmus_identity_refused_total 1$/m);
  const dryRun = await fetch(`${site(eu).process.admin}/v1/identity/accept?dryRun=true`, { method: 'POST' });
  expect(await dryRun.json()).toMatchObject({ accepted: false, before: { continuity: 'unproven' } });
}, 120_000);

test('a copy that is started beside the living database is refused, and the living one goes on', async () => {
  await write(3);
  await halt(site(eu));
  execFileSync('mkdir', [join(folder, 'clone')]);
  for (const part of ['data', 'password']) {
    execFileSync('cp', ['-a', join(folder, 'eu', 'postgres', part), join(folder, 'clone')]);
  }
  await go(site(eu));
  await write(4);
  const clone = await startPostgres({ keepIn: join(folder, 'clone') });
  const settings = { ISTHMUS_KAFKA_BROKERS: site(eu).kafka?.brokers ?? '' };
  const prepared = await prepareRegionProcess({ region: 'eu', database: clone.url, settings, peers: [] });
  const twin = await prepared.start();
  try {
    await until('the copy is refused', 20_000, async () => (await guard(twin.admin)).kind === 'refused');
    const client = new RegionClient({ region: 'eu', ...twin });
    expect(await client.put('products', 'by the copy', { title: 'x' })).toMatchObject({ status: 503 });
    await write(2);
    expect(await guard(site(eu).process.admin)).toEqual({ kind: 'proven' });
    await converged([clients.eu, clients.us], 'products', 20_000);
    expect(await likes(clients.us)).toBe(9);
  } finally {
    await twin.stop();
    await clone.stop();
  }
}, 120_000);

function site(region: ClusterRegion | undefined): ClusterRegion {
  return region ?? expect.fail('two regions run');
}

function data(): string {
  return join(folder, 'eu', 'postgres', 'data');
}

async function halt({ process, postgres }: ClusterRegion): Promise<void> {
  await process.kill('SIGKILL');
  await postgres.kill('SIGKILL');
}

async function go({ process, postgres }: ClusterRegion): Promise<void> {
  await postgres.restart();
  await process.restart();
}

/** So many increments are acknowledged in eu and seen in us. */
async function write(count: number): Promise<void> {
  for (let done = 0; done < count; ) {
    const { status } = await clients.eu.patch('products', 'counted', { increment: { likes: 1 } });
    if (status < 300) done++;
  }
  const expected = await likes(clients.eu);
  await until('the peer has it', 20_000, async () => (await likes(clients.us)) === expected);
}

async function likes(client: RegionClient): Promise<unknown> {
  const { body } = await client.get('products', 'counted');
  return body !== null && typeof body === 'object' && 'value' in body ? valueOf(body.value) : null;
}

function valueOf(value: unknown): unknown {
  return value !== null && typeof value === 'object' && 'likes' in value ? value.likes : null;
}

async function guard(admin: string): Promise<{ readonly kind?: string; readonly reason?: string }> {
  const response = await fetch(`${admin}/v1/identity`);
  const body: unknown = await response.json();
  if (body === null || typeof body !== 'object' || !('guard' in body)) return {};
  return body.guard ?? {};
}

import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from './cluster.ts';

const said: string[] = [];
let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ regions: ['eu'], log: 'postgres', progress: (line) => said.push(line) });
}, 90_000);
afterAll(() => cluster.stop());

it('tells of a region process that ends by itself, with the end of its log, and not of one that is struck', async () => {
  const [eu = expect.fail('eu runs')] = cluster.regions;
  await eu.process.kill('SIGKILL');
  await eu.process.restart();
  said.length = 0;
  process.kill(eu.process.pid(), 'SIGKILL');
  const told = /^The region process eu has ended by itself \(SIGKILL\)\. Its log ends:\n.*"msg":"ready"/s;
  await vi.waitFor(() => expect(said[0]).toMatch(told), { timeout: 20_000 });
  await eu.process.restart();
  await eu.process.stop();
  expect(said).toHaveLength(1);
}, 60_000);

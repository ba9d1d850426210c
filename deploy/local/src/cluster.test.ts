import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Kafka as Client, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ServerCluster, startServers } from './cluster.ts';
import type { Link } from './link-proxy.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { isAlive } from './server-child.ts';

async function brokerSeenAt(address: { host: string; port: number }): Promise<string> {
  const brokers = [`${address.host}:${address.port}`];
  const admin = new Client({ brokers, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
  await admin.connect();
  try {
    const { brokers: seen } = await admin.describeCluster();
    return seen.map(({ host, port }) => `${host}:${port}`).join();
  } finally {
    await admin.disconnect();
  }
}

describe('servers of several regions', { timeout: 60_000 }, () => {
  let given: Postgres;
  let cluster: ServerCluster;

  beforeAll(async () => {
    given = await startPostgres();
    vi.stubEnv('ISTHMUS_LOCAL_POSTGRES_URLS', JSON.stringify({ eu: given.url }));
    cluster = await startServers({ regions: ['eu', 'us'] });
    vi.unstubAllEnvs();
  }, 90_000);
  afterAll(async () => {
    await cluster?.stop();
    await given?.stop();
  });

  it('joins each directed pair by a link that carries the origin Kafka and stays on it', async () => {
    expect(cluster.links.all.map(({ origin, target }) => `${origin}>${target}`)).toEqual(['eu>us', 'us>eu']);
    for (const link of cluster.links.all) {
      expect(await brokerSeenAt(link.log)).toBe(`${link.log.host}:${link.log.port}`);
      expect(link.report().bytesToTarget).toBeGreaterThan(0);
    }
  });

  it('cuts one direction and not the other, and never the own region', async () => {
    const [there, back] = cluster.links.all;
    const [eu] = cluster.regions;
    if (there === undefined || back === undefined || eu === undefined) return expect.fail('two links');
    there.set({ state: 'cut' });
    await expect(brokerSeenAt(there.log)).rejects.toThrow();
    expect(await brokerSeenAt(back.log)).not.toBe('');
    const [host = '', port] = eu.brokers.split(':');
    expect(await brokerSeenAt({ host, port: Number(port) })).toBe(eu.brokers);
    there.set({ state: 'ok' });
    expect(await brokerSeenAt(there.log)).not.toBe('');
  });

  it('uses a server that was given, and never touches it', async () => {
    const [eu, us] = cluster.regions;
    expect(eu?.postgres.url).toBe(given.url);
    expect(us?.postgres.url).not.toBe(given.url);
    await expect(eu?.postgres.kill('SIGKILL')).rejects.toMatchObject({ code: 'server-not-ours' });
    expect(given.isRunning()).toBe(true);
  });

  it('stops everything of its own and nothing that was given', async () => {
    const own = cluster.regions
      .flatMap(({ postgres, kafka }) => [postgres, ...(kafka === null ? [] : [kafka])])
      .filter(({ pid }) => pid() > 0);
    expect(own).toHaveLength(3);
    await cluster.stop();
    for (const server of own) {
      expect(isAlive(server.pid())).toBe(false);
      await expect(stat(dirname(server.logFile))).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(given.isRunning()).toBe(true);
    expect(await readdir(dirname(given.logFile))).not.toEqual([]);
  });
});

describe('servers of regions whose log lies in Postgres', { timeout: 60_000 }, () => {
  it('have no Kafka, and are read through their links alone', async () => {
    const cluster = await startServers({ regions: ['eu', 'us'], log: 'postgres' });
    try {
      for (const { region, kafka, postgres, brokers } of cluster.regions) {
        expect(kafka).toBeNull();
        expect(brokers).toMatch(
          new RegExp(`^postgres://isthmus_log_${region}:[^@]+@127\\.0\\.0\\.1:${postgres.port}/postgres$`),
        );
      }
      const [there, back] = cluster.links.all;
      expect(await answerAt(there)).toBe('N');
      there?.set({ state: 'cut' });
      await expect(answerAt(there)).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await answerAt(back)).toBe('N');
    } finally {
      await cluster.stop();
    }
  });
});

/** What Postgres answers to the question for TLS. */
async function answerAt(link: Link | undefined): Promise<string> {
  const socket = connect(link?.log ?? expect.fail('a link'));
  const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
  socket.write(sslRequest);
  const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) });
  socket.destroy();
  return String(answer);
}

describe('addresses in the environment', () => {
  it.each([
    ['ISTHMUS_LOCAL_POSTGRES_URLS', 'postgres://localhost/x'],
    ['ISTHMUS_LOCAL_POSTGRES_URLS', '{"eu":"http://localhost"}'],
    ['ISTHMUS_LOCAL_KAFKA_BROKERS', '{"eu":"localhost"}'],
    ['ISTHMUS_LOCAL_KAFKA_BROKERS', '[1]'],
  ])('are refused as %s=%s', async (name, value) => {
    vi.stubEnv(name, value);
    await expect(startServers({ regions: ['eu', 'us'] })).rejects.toMatchObject({
      code: 'address-invalid',
      message: expect.stringContaining(name),
      remedy: expect.stringContaining('{"eu":"'),
    });
    vi.unstubAllEnvs();
  });
});

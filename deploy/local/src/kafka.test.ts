import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Admin, Kafka as Client, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFolder } from './cache-folder.ts';
import { type Kafka, startKafka } from './kafka.ts';
import { verifyJars } from './kafka-jars.ts';
import { isAlive } from './server-child.ts';

const advertisedAddress = { host: '127.0.0.1', port: 31_999 };

async function withAdmin<T>(broker: string, use: (admin: Admin, client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 2 } });
  const admin = client.admin();
  await admin.connect();
  try {
    return await use(admin, client);
  } finally {
    await admin.disconnect();
  }
}

async function readFirst(broker: string, topic: string): Promise<string> {
  const client = new Client({ brokers: [broker], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: 'reader' });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    return await new Promise((resolve, reject) => {
      const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
        resolve(message.value?.toString() ?? '');
        return Promise.resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}

describe('a local Kafka', { timeout: 60_000 }, () => {
  let kafka: Kafka;

  beforeAll(async () => {
    kafka = await startKafka({ listeners: { us: { advertised: advertisedAddress } } });
  }, 90_000);
  afterAll(async () => {
    await kafka?.stop();
  });

  it('tells its own region its own address, and a peer the address of the link', async () => {
    const own = await withAdmin(kafka.brokers, (admin) => admin.describeCluster());
    expect(own.brokers.map(({ host, port }) => `${host}:${port}`)).toEqual([kafka.brokers]);
    const { host, port } = kafka.listeners['us'] ?? { host: '', port: 0 };
    const throughLink = withAdmin(`${host}:${port}`, (admin) => admin.describeCluster());
    await expect(throughLink).rejects.toMatchObject({
      cause: { broker: `${advertisedAddress.host}:${advertisedAddress.port}`, code: 'ECONNREFUSED' },
    });
  });

  it('creates no topic by being asked for it', async () => {
    const ask = withAdmin(kafka.brokers, (admin) => admin.fetchTopicMetadata({ topics: ['never-made'] }));
    await expect(ask).rejects.toThrow(/does not host this topic-partition/);
  });

  it('keeps acknowledged messages and its address across SIGKILL and restart', async () => {
    const { brokers } = kafka;
    await withAdmin(brokers, async (admin, client) => {
      await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }], waitForLeaders: true });
      const producer = client.producer();
      await producer.connect();
      await producer.send({ topic: 'kept', acks: -1, messages: [{ value: 'still here' }] });
      await producer.disconnect();
    });
    const killed = kafka.pid();
    await kafka.kill('SIGKILL');
    expect(kafka.isRunning()).toBe(false);
    expect(isAlive(killed)).toBe(false);
    await kafka.restart();
    expect(kafka.brokers).toBe(brokers);
    expect(await readFirst(brokers, 'kept')).toBe('still here');
  }, 60_000);

  it('leaves no process and no folder when it stops, and is a cluster of its own', async () => {
    const other = await startKafka();
    const ids = await Promise.all(
      [kafka, other].map(({ brokers }) => withAdmin(brokers, (admin) => admin.describeCluster())),
    );
    expect(ids[0]?.clusterId).not.toBe(ids[1]?.clusterId);
    const pid = other.pid();
    await other.kill('SIGSTOP');
    await other.stop();
    expect(isAlive(pid)).toBe(false);
    expect(await isFolder(dirname(other.logFile))).toBe(false);
  }, 60_000);
});

/** A pinned jar whose bytes are `hello`. */
function jar(name: string): { name: string; sha256: string } {
  return { name, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' };
}

describe("Kafka's jars", () => {
  it('are refused when one differs, is missing or is a stranger', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isthmus-jars-'));
    try {
      await writeFile(join(folder, 'good.jar'), 'hello');
      await expect(verifyJars(folder, [jar('good.jar')])).resolves.toBeUndefined();
      await writeFile(join(folder, 'bad.jar'), 'hallo');
      await writeFile(join(folder, 'stranger.jar'), 'hello');
      await expect(
        verifyJars(folder, [jar('good.jar'), jar('bad.jar'), jar('gone.jar')]),
      ).rejects.toMatchObject({
        code: 'jar-mismatch',
        message: expect.stringMatching(/stranger.jar is not.*bad.jar differs.*gone.jar is missing/),
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

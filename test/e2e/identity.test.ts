/**
 * One identity (P1, P9, I11) on real servers: a database that was restored from an older copy learns what it lost and
 * goes on as a new incarnation, where its log is a Kafka that testifies and where it lies in the database and peers do; a
 * copy that is started beside the living one takes no write, and of two copies one wins.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startKafka } from '@isthmus/local/kafka';
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { type PeerAddresses, prepareRegionProcess, type RegionProcess } from '@isthmus/local/region-process';
import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import { logUnderTest } from './log-under-test.ts';
import { RegionClient } from './region-client.ts';
import { guard, identityOf } from './shown-identity.ts';
import { go, halt, useCluster } from './use-cluster.ts';
import { converged } from './verdict.ts';

const site = useCluster('identity');

/** The record that a test counts in, which no other test has. */
let counted = '';
let tests = 0;

beforeEach(() => {
  counted = `counted-${++tests}`;
});

test('P9: a database restored from an older copy learns what it lost and goes on as a new incarnation', async () => {
  const former = await life();
  await write(3);
  expect((await site.clients.eu.patch('products', counted, { refill: { stock: 10 } })).status).toBe(200);
  await halt(site.eu);
  keepCopy();
  await go(site.eu);
  await write(4);
  expect((await site.clients.eu.patch('products', counted, { spend: { stock: 4 } })).status).toBe(200);
  expect((await site.clients.eu.put('products', 'lost', { title: 'only in the log' })).status).toBe(201);
  expect((await site.clients.us.put('products', 'by us', { title: 'told to be settled' })).status).toBe(201);
  await converged([site.clients.eu, site.clients.us], 'products', 20_000);
  await halt(site.eu);
  setBack();
  await go(site.eu);
  await until('the region takes writes again', 60_000, async () => {
    const { status, body } = await site.clients.eu.patch('products', counted, { increment: { likes: 1 } });
    if (status >= 500) expect(body).toMatchObject({ code: 'database-unavailable' });
    return status < 300;
  });
  expect(await identityOf(site.eu.process.admin)).toMatchObject({
    incarnation: former + 1,
    guard: { kind: 'proven' },
  });
  await write(2);
  await converged([site.clients.eu, site.clients.us], 'products', 20_000);
  expect([await likes(site.clients.eu), await likes(site.clients.us)]).toEqual([10, 10]);
  for (const client of [site.clients.eu, site.clients.us]) {
    expect(await client.get('products', 'lost')).toMatchObject({
      body: { value: { title: 'only in the log' } },
    });
    expect(await client.get('products', 'by us')).toMatchObject({ status: 200 });
  }
  // What the former life held is claimed with what it spent in the lost part, as soon as its peer reads the new life.
  expect((await site.clients.eu.patch('products', counted, { spend: { stock: 1 } })).status).toBe(409);
  await until('the rights of the former life are claimed', 20_000, async () => {
    const claimed = await claimStock(site.eu.process.admin);
    if (claimed.status === 200) expect(claimed.body).toMatchObject({ claims: [{ region: 'eu', rights: 6 }] });
    else expect(claimed.body).toMatchObject({ code: 'claim-waits' });
    return claimed.status === 200;
  });
  expect((await site.clients.eu.patch('products', counted, { spend: { stock: 7 } })).status).toBe(409);
  expect((await site.clients.eu.patch('products', counted, { spend: { stock: 6 } })).status).toBe(200);
}, 150_000);

test('P9: killed while it claims and right after it was made another incarnation, the region goes on', async () => {
  const former = await life();
  await write(3);
  await halt(site.eu);
  keepCopy();
  await go(site.eu);
  await write(4);
  await halt(site.eu);
  setBack();
  await go(site.eu);
  const { admin } = site.eu.process;
  await until('it is about to claim', 30_000, async () => (await guard(admin)).kind === 'renewing');
  await halt(site.eu);
  await go(site.eu);
  await until('it is another incarnation', 60_000, async () => (await life()) === former + 1);
  await halt(site.eu);
  await go(site.eu);
  await until('the region takes writes again', 60_000, async () => {
    return (await site.clients.eu.patch('products', counted, { increment: { likes: 1 } })).status < 300;
  });
  await write(2);
  await converged([site.clients.eu, site.clients.us], 'products', 20_000);
  expect([await likes(site.clients.eu), await likes(site.clients.us)]).toEqual([10, 10]);
}, 170_000);

test('P9: an operator renews a region only by insisting while it is well, and nothing is lost by it', async () => {
  const former = await life();
  await write(3);
  const { admin } = site.eu.process;
  const run = (rest: string) => isthmus(0, `identity ${rest} --admin ${admin} --json`);
  await expect(run('renew')).rejects.toThrow(/ended with 1: isthmus: identity-healthy/);
  expect(await run('renew --force --dry-run')).toMatchObject({
    code: 0,
    answer: { renewing: false, from: former },
  });
  expect(await identityOf(admin)).toMatchObject({ incarnation: former, guard: { kind: 'proven' } });
  expect(await run('renew --force')).toMatchObject({ code: 0, answer: { renewing: true } });
  await until('it is another incarnation and takes writes', 60_000, async () => {
    const { status } = await site.clients.eu.patch('products', counted, { increment: { likes: 1 } });
    return status < 300;
  });
  expect(await life()).toBe(former + 1);
  await write(1);
  await converged([site.clients.eu, site.clients.us], 'products', 20_000);
  expect([await likes(site.clients.eu), await likes(site.clients.us)]).toEqual([5, 5]);
}, 120_000);

test.runIf(logUnderTest() === 'postgres')(
  'P9, I8: set back while no peer can be asked, the region writes under another name, and both pasts come out',
  async () => {
    const former = await life();
    await write(3);
    await halt(site.eu);
    keepCopy();
    await go(site.eu);
    await write(4);
    expect((await site.clients.eu.put('products', 'lost alone', { title: 'in the lost part' })).status).toBe(
      201,
    );
    await converged([site.clients.eu, site.clients.us], 'products', 20_000);
    // What the peer has applied is not flushed at once, so only its process ends: it cannot be asked, and has lost nothing.
    await site.us.process.kill('SIGKILL');
    await halt(site.eu);
    setBack();
    await go(site.eu);
    await until('the region takes writes though nobody answers', 60_000, async () => {
      return (await site.clients.eu.patch('products', counted, { increment: { likes: 1 } })).status < 300;
    });
    expect(await identityOf(site.eu.process.admin)).toMatchObject({
      incarnation: former + 1,
      relearning: { takesWrites: true },
    });
    // Under the old name these would be the dots of the four that are lost here and known there.
    for (let count = 0; count < 3; count++)
      expect((await site.clients.eu.patch('products', counted, { increment: { likes: 100 } })).status).toBe(
        200,
      );
    expect((await site.clients.eu.put('products', 'alone', { title: 'written alone' })).status).toBe(201);
    await site.us.process.restart();
    await until('the past is learnt', 60_000, async () => {
      const identity = await identityOf(site.eu.process.admin);
      return JSON.stringify(identity).includes('"relearning":null');
    });
    await converged([site.clients.eu, site.clients.us], 'products', 20_000);
    for (const client of [site.clients.eu, site.clients.us]) {
      expect(await likes(client)).toBe(308);
      expect((await client.get('products', 'lost alone')).status).toBe(200);
      expect((await client.get('products', 'alone')).status).toBe(200);
    }
  },
  170_000,
);

test.runIf(logUnderTest() === 'kafka')(
  'a copy that is started beside the living database is refused, and the living one goes on',
  async () => {
    await write(3);
    await halt(site.eu);
    copyOf('clone');
    await go(site.eu);
    await write(4);
    const { twin, stop } = await startClone('clone');
    try {
      await until('the copy is refused', 40_000, async () => (await guard(twin.admin)).kind === 'refused');
      const client = new RegionClient({ region: 'eu', ...twin });
      expect(await client.put('products', 'by the copy', { title: 'x' })).toMatchObject({ status: 503 });
      await write(2);
      expect(await guard(site.eu.process.admin)).toEqual({ kind: 'proven' });
      await converged([site.clients.eu, site.clients.us], 'products', 20_000);
      expect(await likes(site.clients.us)).toBe(9);
    } finally {
      await stop();
    }
  },
  120_000,
);

test.runIf(logUnderTest() === 'kafka')(
  'I11: a copy that is started with a log of its own, which no peer reads, is refused by what the peer goes on receiving',
  async () => {
    await write(3);
    await halt(site.eu);
    copyOf('apart');
    await go(site.eu);
    await write(4);
    const kafka = await startKafka();
    const us = {
      region: 'us',
      brokers: site.us.kafka?.brokers ?? '',
      admin: site.us.process.adminAddress,
    };
    const { twin, stop } = await startClone('apart', { brokers: kafka.brokers, peers: [us] });
    try {
      let reason: string | undefined;
      await until('the copy is refused', 90_000, async () => {
        const seen = await guard(twin.admin);
        ({ reason } = seen);
        return seen.kind === 'refused';
      });
      expect(reason).toMatch(/^us has received beat .* goes on: another database writes as eu$/);
      const client = new RegionClient({ region: 'eu', ...twin });
      expect(await client.put('products', 'apart', { title: 'x' })).toMatchObject({ status: 503 });
      await write(2);
      expect(await guard(site.eu.process.admin)).toEqual({ kind: 'proven' });
    } finally {
      await stop();
      await kafka.stop();
    }
  },
  150_000,
);

test.runIf(logUnderTest() === 'kafka')(
  // The last, because nothing comes after it in the place of the region.
  'P9: of two clones that are started at once one goes on, and the other stops for good',
  async () => {
    await write(3);
    await halt(site.eu);
    for (const name of ['first', 'second']) copyOf(name);
    await go(site.eu);
    await write(4);
    await halt(site.eu);
    const clones = await Promise.all(['first', 'second'].map((name) => startClone(name)));
    try {
      const kinds = () => Promise.all(clones.map(async ({ twin }) => (await guard(twin.admin)).kind));
      let found: readonly (string | undefined)[] = [];
      await until('one goes on and the other is refused', 60_000, async () => {
        found = await kinds();
        return found.includes('proven') && found.includes('refused');
      });
      const winner = clones[found.indexOf('proven')] ?? expect.fail('one has won');
      const loser = clones[found.indexOf('refused')] ?? expect.fail('one has lost');
      const client = new RegionClient({ region: 'eu', ...winner.twin });
      await until('the winner takes writes', 30_000, async () => {
        return (await client.patch('products', counted, { increment: { likes: 1 } })).status < 300;
      });
      expect(await likes(client)).toBe(8);
      await until('the peer has it', 20_000, async () => (await likes(site.clients.us)) === 8);
      await loser.postgres.restart();
      await loser.twin.restart();
      // Whoever holds a database also cuts its connections, so that a look may find none.
      let reason: string | undefined;
      await until('the loser is refused', 20_000, async () => {
        const seen = await guard(loser.twin.admin);
        ({ reason } = seen);
        return seen.kind === 'refused';
      });
      expect(reason).toMatch(
        /another database of the region has taken|the own log goes on under incarnation/,
      );
      const other = new RegionClient({ region: 'eu', ...loser.twin });
      expect(await other.put('products', 'by the loser', { title: 'x' })).toMatchObject({ status: 503 });
      expect(await guard(winner.twin.admin)).toEqual({ kind: 'proven' });
    } finally {
      await Promise.all(clones.map(({ stop }) => stop()));
    }
  },
  150_000,
);

function data(): string {
  return join(site.folder, 'eu', 'postgres', 'data');
}

function copy(): string {
  return join(site.folder, 'copy');
}

function keepCopy(): void {
  rmSync(copy(), { recursive: true, force: true });
  execFileSync('cp', ['-a', data(), copy()]);
}

function setBack(): void {
  rmSync(data(), { recursive: true });
  execFileSync('cp', ['-a', copy(), data()]);
}

/** As a snapshot of the storage would. */
function copyOf(name: string): void {
  execFileSync('mkdir', [join(site.folder, name)]);
  for (const part of ['data', 'password']) {
    execFileSync('cp', ['-a', join(site.folder, 'eu', 'postgres', part), join(site.folder, name)]);
  }
}

interface Clone {
  readonly postgres: Postgres;
  readonly twin: RegionProcess;
  readonly stop: () => Promise<void>;
}

/** On the living region's log and without peers, if nothing else is said. */
async function startClone(
  name: string,
  { brokers, peers }: Pick<PeerAddresses, 'brokers'> & { readonly peers: readonly PeerAddresses[] } = {
    brokers: site.eu.kafka?.brokers ?? '',
    peers: [],
  },
): Promise<Clone> {
  const postgres = await startPostgres({ keepIn: join(site.folder, name) });
  const settings = { ISTHMUS_KAFKA_BROKERS: brokers };
  const prepared = await prepareRegionProcess({ region: 'eu', database: postgres.url, settings, peers });
  const twin = await prepared.start();
  const stop = async (): Promise<void> => {
    await twin.stop();
    await postgres.stop();
  };
  return { postgres, twin, stop };
}

/** So many increments are acknowledged in eu and seen in us. */
async function write(count: number): Promise<void> {
  for (let done = 0; done < count; ) {
    const { status } = await site.clients.eu.patch('products', counted, { increment: { likes: 1 } });
    if (status < 300) done++;
  }
  const expected = await likes(site.clients.eu);
  await until('the peer has it', 20_000, async () => (await likes(site.clients.us)) === expected);
}

async function likes(client: RegionClient): Promise<unknown> {
  const { body } = await client.get('products', counted);
  return body !== null && typeof body === 'object' && 'value' in body ? valueOf(body.value) : null;
}

function valueOf(value: unknown): unknown {
  return value !== null && typeof value === 'object' && 'likes' in value ? value.likes : null;
}

async function claimStock(admin: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(`${admin}/v1/rights/products/${counted}/claim`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ field: 'stock' }),
  });
  return { status: response.status, body: await response.json() };
}

/** Counts the incarnations of eu. */
async function life(): Promise<number> {
  const shown = await identityOf(site.eu.process.admin);
  return z.object({ incarnation: z.number() }).parse(shown).incarnation;
}

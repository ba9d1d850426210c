/**
 * A region that an operator drains, joins again and fills anew (P6, P8, P9) on real servers: a database that was restored
 * below what its peer has collected is emptied and filled, killed in the middle of it, without bringing anything deleted
 * back and without losing what only its log has; what no peer has is not dropped before somebody accepts that by name.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterRegion } from '@isthmus/local/cluster';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { query } from '../contract/fresh-database.ts';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import { forgetChanges } from './log-under-test.ts';
import { go, halt, useCluster } from './use-cluster.ts';
import { converged } from './verdict.ts';

const site = useCluster('refill');

const shownRegion = z.object({
  actor: z.string(),
  waitsFor: z.array(z.string()),
  drained: z.object({ beat: z.number().nullable() }).nullable(),
  refill: z.object({ donor: z.string(), state: z.string(), detail: z.string() }).nullable(),
});
const shownTransfers = z.object({
  transfers: z.array(
    z.object({ cause: z.string(), state: z.string(), merged: z.number(), detail: z.string() }),
  ),
});

const recordCount = 3000;
const title = 'x'.repeat(1500);

test('a drained region takes no writes and says when its peer has all; joining gives them back', async () => {
  const { admin } = site.eu.process;
  const run = (rest: string) => isthmus(0, `region ${rest} --admin ${admin} --json`);
  expect(await run('drain --dry-run')).toMatchObject({ code: 0, answer: { drained: null } });
  await increment();
  link('eu', 'us').set({ state: 'cut' });
  await done(site.clients.eu.patch('products', 'counted', { increment: { likes: 1 } }));
  const draining = run('drain');
  await until('it refuses writes', 20_000, async () => {
    const { status, body } = await site.clients.eu.patch('products', 'counted', { increment: { likes: 1 } });
    return status === 503 && JSON.stringify(body).includes('"region-drained"');
  });
  expect((await site.clients.eu.get('products', 'counted')).status).toBe(200);
  const acknowledged = (await site.clients.eu.list('products')).get('counted');
  await until('the beat is named', 20_000, async () => (await shown(admin)).drained?.beat ?? null);
  expect(await isthmus(0, `status --admin ${admin} --json`)).toMatchObject({
    answer: { regions: [{ region: 'eu', drained: true, refill: null }] },
  });
  link('eu', 'us').set({ state: 'ok' });
  expect(await draining).toMatchObject({
    code: 0,
    answer: { drained: { peers: [{ region: 'us', hasAll: true }] } },
  });
  expect((await site.clients.us.list('products')).get('counted')).toEqual(acknowledged);
  await site.eu.process.kill('SIGKILL');
  await site.eu.process.restart();
  expect(await site.clients.eu.put('products', 'x', { title })).toMatchObject({
    status: 503,
    body: { code: 'region-drained' },
  });
  expect(await run('join')).toMatchObject({ code: 0, answer: { drained: null, waitsFor: [] } });
  await increment();
}, 120_000);

test('P6: restored below what its peer has collected, a region is filled anew, also when killed in the middle', async () => {
  for (let first = 0; first < recordCount; first += 500) {
    const keys = Array.from({ length: 500 }, (_, index) => `kept-${first + index}`);
    const writes = keys.map((key) => ({ method: 'put', collection: 'products', key, value: { title } }));
    expect((await site.clients.us.batch(writes)).status).toBe(200);
  }
  await done(site.clients.us.put('products', 'gone', { title: 'to be deleted' }));
  const former = await likes();
  await increment();
  await converged([site.clients.eu, site.clients.us], 'products', 30_000);
  await halt(site.eu);
  execFileSync('cp', ['-a', data(), join(site.folder, 'copy')]);
  await go(site.eu);
  await increment();
  await done(site.clients.us.delete('products', 'gone'));
  for (const region of [site.eu, site.us])
    await until(
      `${region.region} has dropped it`,
      90_000,
      async () => (await rowsNamed(region, 'gone')) === 0,
    );
  await converged([site.clients.eu, site.clients.us], 'products', 20_000);
  await halt(site.eu);
  await forgetChanges({ ...site.us, database: site.us.postgres.url });
  rmSync(data(), { recursive: true });
  execFileSync('cp', ['-a', join(site.folder, 'copy'), data()]);
  await go(site.eu);
  const { admin } = site.eu.process;
  await until('it finds that it has to be filled anew', 60_000, async () =>
    (await transfers(admin)).some(({ detail }) => detail.includes('isthmus region refill')),
  );
  expect((await site.clients.eu.get('products', 'gone')).status).toBe(200);
  expect(await site.clients.eu.put('products', 'early', { title })).toMatchObject({ status: 503 });

  const command = `region refill --admin ${admin} --json`;
  expect(await isthmus(0, `${command} --dry-run`)).toMatchObject({
    code: 0,
    answer: { dryRun: true, donor: 'us', loss: [], records: recordCount + 2 },
  });
  expect((await site.clients.eu.get('products', 'gone')).status).toBe(200);
  link('eu', 'us').set({ state: 'delay', delayMs: 150 });
  const running = isthmus(0, command);
  await until('it is half filled', 60_000, async () =>
    (await transfers(admin)).some(
      ({ cause, state, merged }) => cause === 'refill' && state === 'running' && merged > 0,
    ),
  );
  await halt(site.eu);
  await go(site.eu);
  link('eu', 'us').set({ state: 'ok' });
  expect(await running).toMatchObject({
    code: 0,
    answer: { region: 'eu', waitsFor: [], refill: { state: 'done', donor: 'us' } },
  });
  const filled = (await transfers(admin)).filter(({ cause }) => cause === 'refill');
  expect(filled, 'one transfer, that went on where it was').toEqual([
    expect.objectContaining({ state: 'done' }),
  ]);
  expect((await shown(admin)).actor).toMatch(/^eu\.3\./);
  expect((await site.clients.eu.get('products', 'gone')).status).toBe(404);
  await increment();
  await converged([site.clients.eu, site.clients.us], 'products', 30_000);
  for (const client of [site.clients.eu, site.clients.us]) {
    expect((await client.list('products')).get('counted')).toMatchObject({ likes: former + 3 });
    expect((await client.list('products')).size).toBe(recordCount + 1);
    expect(await client.status()).toMatchObject({ gaps: 0, deadLetters: 0 });
  }
}, 300_000);

test('P6: what no peer has is dropped only after its life was named, and else the region is as it was', async () => {
  await increment();
  await converged([site.clients.eu, site.clients.us], 'products', 20_000);
  // Until then nobody is known to have what the lives before had not published, and they would have to be named as well.
  await until(
    'us counts this life',
    60_000,
    async () => (await site.clients.eu.peer('us')).rpoSeconds !== null,
  );
  // us reads the own log of eu, and cannot fetch from it what that does not hold any more.
  await site.us.process.kill('SIGKILL');
  link('us', 'eu').set({ state: 'cut' });
  await done(site.clients.eu.put('products', 'alone', { title: 'at no peer' }));
  await published(site.eu);
  await forgetChanges({ ...site.eu, database: site.eu.postgres.url });
  await site.us.process.restart();
  const { admin } = site.eu.process;
  const { actor } = await shown(admin);
  const command = `region refill --admin ${admin} --json`;
  await until('us answers, and the loss is seen', 60_000, async () => {
    const { answer } = await isthmus(0, `${command} --dry-run`);
    return JSON.stringify(answer).includes(actor);
  });
  await expect(isthmus(0, command)).rejects.toThrow(new RegExp(`refill-would-lose: .*${actor}`));
  expect((await site.clients.eu.get('products', 'alone')).status).toBe(200);
  await done(site.clients.eu.patch('products', 'counted', { increment: { likes: 1 } }));

  const file = join(site.folder, 'written-down.jsonl');
  const run = await isthmus(0, `${command} --export ${file} --accept-loss ${actor}`);
  expect(run).toMatchObject({ code: 0, answer: { waitsFor: [], refill: { state: 'done' } } });
  expect((await site.clients.eu.get('products', 'alone')).status).toBe(404);
  // What the log does not hold any more cannot be written down, and what us has by now is not missing.
  expect(await isthmus(0, `region reissue ${file} --admin ${admin} --json`)).toMatchObject({ code: 0 });
  link('us', 'eu').set({ state: 'ok' });
  await increment();
  await converged([site.clients.eu, site.clients.us], 'products', 60_000);
}, 240_000);

function link(origin: string, target: string) {
  return site.cluster.links.find(origin, target) ?? expect.fail(`a link joins ${origin} and ${target}`);
}

function data(): string {
  return join(site.folder, 'eu', 'postgres', 'data');
}

async function done(answer: Promise<{ readonly status: number }>): Promise<void> {
  expect((await answer).status).toBeLessThan(300);
}

async function likes(): Promise<number> {
  return Number((await site.clients.eu.list('products')).get('counted')?.['likes'] ?? 0);
}

async function increment(): Promise<void> {
  await until('eu takes a write', 60_000, async () => {
    const { status } = await site.clients.eu.patch('products', 'counted', { increment: { likes: 1 } });
    return status < 300;
  });
}

async function rowsNamed({ postgres }: ClusterRegion, key: string): Promise<number> {
  return (await query(postgres.url, 'SELECT FROM isthmus.record WHERE key = $1', [key])).length;
}

/** Everything that is committed by now is in its own log. */
async function published({ postgres }: ClusterRegion): Promise<void> {
  const [row] = await query(postgres.url, 'SELECT max(number) AS number FROM isthmus.beat');
  await until('a later beat is published', 20_000, async () => {
    const found = await query(
      postgres.url,
      'SELECT FROM isthmus.beat WHERE published AND number > $1 LIMIT 1',
      [row?.['number']],
    );
    return found.length > 0;
  });
}

async function shown(admin: string): Promise<z.infer<typeof shownRegion>> {
  return shownRegion.parse(await (await fetch(`${admin}/v1/region`)).json());
}

async function transfers(admin: string): Promise<z.infer<typeof shownTransfers>['transfers']> {
  return shownTransfers.parse(await (await fetch(`${admin}/v1/transfers`)).json()).transfers;
}

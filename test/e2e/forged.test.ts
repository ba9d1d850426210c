/**
 * Somebody else reaches the Kafka of a region and writes into its log, in its name or in that of its peer: nothing of it
 * is believed, everybody is told, the rest flows, and what is missing in the end is fetched from the records (P4, P6). Who
 * has the key of the region besides is taken for another database of it (P9).
 */
import { readFileSync } from 'node:fs';
import { encodeClaim } from '@isthmus/replication/log/claim-record';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { forge, sealWith, underKeyOf } from '../forging.ts';
import { until } from '../until.ts';
import { appendToLog, type Entry, readChanges } from './kafka-log.ts';
import { forgetChanges } from './log-under-test.ts';
import type { RegionClient } from './region-client.ts';
import { guard } from './shown-identity.ts';
import { useCluster } from './use-cluster.ts';
import { converged } from './verdict.ts';

const site = useCluster('forged');

function forgery(entries: readonly Entry[]): Entry {
  for (const { partition, value } of entries.toReversed()) {
    const forged = forge(value, { key: 'fabricated' });
    if (forged !== null) return { partition, value: forged };
  }
  return expect.fail('a record has changes');
}

function flipped({ partition, value }: Entry): Entry {
  const bytes = Buffer.from(value);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return { partition, value: bytes };
}

function sealedByUs(topic: 'changes' | 'control', { partition, value }: Entry): Entry {
  return { partition, value: sealWith({ region: 'eu', keyOf: 'us', topic }, partition, value) };
}

/** How many of the records in the log of eu the region has refused for this. */
async function refusedCount(region: RegionClient, topic: string, cause: string): Promise<number> {
  const { refusedRecords } = await region.status();
  const found = refusedRecords.find((each) => each.topic === topic && each.cause === cause);
  return found?.region === 'eu' ? found.count : 0;
}

const refusedBy =
  (region: RegionClient, topic: string, cause: string, least: number) => async (): Promise<boolean> =>
    (await refusedCount(region, topic, cause)) >= least;

test('what another writes into the log of a region is dropped with an alarm, and stops nothing (I3, P4)', async () => {
  const { eu, us } = site.clients;
  await eu.put('products', 'true', { title: 'true' });
  await us.put('products', 'own', { title: 'own' });
  await converged([eu, us], 'products', 20_000);
  const digest = await eu.digest('products');
  const entries = await readChanges(site.eu.brokers);
  const plain = forgery(entries);
  const anothers = sealedByUs('changes', plain);
  const elsewhere = entries.map(({ partition, value }) => ({ partition: (partition + 1) % 8, value }));
  const poisons = [plain, anothers, { ...anothers, value: underKeyOf('eu', anothers.value) }];
  await appendToLog(site.eu.brokers, 'changes', [
    ...poisons,
    ...entries.slice(0, 20).map(flipped),
    ...elsewhere.slice(0, 20),
  ]);
  const region = parseRegionId('eu') ?? expect.fail('eu is a region');
  const claim = { partition: 0, value: encodeClaim({ region, incarnation: { counter: 2, nonce: 9 } }) };
  await appendToLog(site.eu.brokers, 'control', [claim, sealedByUs('control', claim)]);
  await appendToLog(site.eu.brokers, 'progress', [{ partition: 0, value: Buffer.from('settled') }]);

  await until('us refuses what bears no seal', 20_000, refusedBy(us, 'changes', 'unsigned', 1));
  await until('us refuses what us has sealed', 20_000, refusedBy(us, 'changes', 'unknown-key', 1));
  await until('us refuses the rest', 20_000, refusedBy(us, 'changes', 'bad-signature', 41));
  await until('us refuses progress', 20_000, refusedBy(us, 'progress', 'unsigned', 1));
  await until('eu refuses the claims', 20_000, refusedBy(eu, 'control', 'unknown-key', 1));
  expect(await us.metrics()).toMatch(
    /^isthmus_refused_log_records_total\{origin="eu",cause="bad-signature"\} \d+$/m,
  );
  const told = readFileSync(site.us.process.logFile, 'utf8');
  expect(told).toMatch(/"cause":"bad-signature".*"log record dropped: nobody vouches for it"/);
  expect(told).not.toContain('fabricated');

  expect(await Promise.all([eu.digest('products'), us.digest('products')])).toEqual([digest, digest]);
  await eu.put('products', 'after', { title: 'after' });
  await us.put('products', 'after-us', { title: 'after' });
  await converged([eu, us], 'products', 20_000);
  expect((await us.get('products', 'after')).status).toBe(200);
  expect((await us.get('products', 'fabricated')).status).toBe(404);
  for (const each of [eu, us]) expect(await each.status()).toMatchObject({ gaps: 0, deadLetters: 0 });
  expect(await us.metrics()).not.toMatch(/^isthmus_(gaps|transfers)_total\S* [^0]/m);
}, 120_000);

test('where true records were replaced by forged ones the interval is missing, and fetched (I3, P6)', async () => {
  const { eu, us } = site.clients;
  await eu.put('products', 'before', { title: 'before' });
  await converged([eu, us], 'products', 20_000);
  const former = new Set((await readChanges(site.eu.brokers)).map(({ value }) => value.toString('hex')));
  const refusedBefore = await refusedCount(us, 'changes', 'bad-signature');
  const link = site.cluster.links.find('eu', 'us') ?? expect.fail('a link joins them');
  link.set({ state: 'cut' });
  for (let index = 0; index < 20; index++) await eu.put('products', `hidden-${index}`, { title: 'x' });
  await until('the own log holds them', 10_000, async () =>
    /rpo_changes\{peer="log"\} 0$/m.test(await eu.metrics()),
  );
  const entries = (await readChanges(site.eu.brokers)).filter(
    ({ value }) => !former.has(value.toString('hex')),
  );
  const { brokers, postgres } = site.eu;
  await forgetChanges({ region: 'eu', database: postgres.url, brokers });
  await appendToLog(site.eu.brokers, 'changes', entries.map(flipped));
  link.set({ state: 'ok' });
  const has = (key: string) => async () => (await us.get('products', key)).status === 200;
  for (const key of ['hidden-0', 'hidden-19']) await until(`us has ${key}`, 60_000, has(key));
  await converged([eu, us], 'products', 20_000);
  await until('no gap is open', 20_000, async () => (await us.status()).gaps === 0);
  expect(await us.metrics()).toMatch(/^isthmus_transfers_total\{origin="eu",cause="gap"\} \d+$/m);
  const least = refusedBefore + entries.length;
  await until('they were refused', 20_000, refusedBy(us, 'changes', 'bad-signature', least));
}, 150_000);

test('P9: a claim of another database ends the writes before that one has published anything', async () => {
  const { eu } = site.clients;
  expect((await eu.put('products', 'early', { title: 'x' })).status).toBe(201);
  const region = parseRegionId('eu') ?? expect.fail('eu is a region');
  let counter = 1;
  // What was claimed before it has begun to listen is not heard.
  await until('writes are refused', 40_000, async () => {
    const value = encodeClaim({ region, incarnation: { counter: ++counter, nonce: 9 } });
    const claim = {
      partition: 0,
      value: sealWith({ region: 'eu', keyOf: 'eu', topic: 'control' }, 0, value),
    };
    await appendToLog(site.eu.brokers, 'control', [claim]);
    return (await eu.put('products', 'late', { title: 'x' })).status === 503;
  });
  await until('the region says why', 20_000, async () => {
    const { kind, reason } = await guard(site.eu.process.admin);
    return kind === 'refused' && reason?.startsWith('another database of the region has claimed incarnation');
  });
  expect((await eu.get('products', 'early')).status).toBe(200);
}, 120_000);

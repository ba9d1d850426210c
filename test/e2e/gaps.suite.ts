/**
 * Parts of a log that are gone before a peer has read them, or were never in it, and a record that was damaged: the
 * region notices, fetches what is missing from the records of the origin, and converges without anybody's help.
 */
import { query } from '../contract/fresh-database.ts';
import { beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { isthmus } from './isthmus.ts';
import { forgetChanges, holdLog } from './log-under-test.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;

beforeAll(() => {
  eu = demo.region('eu');
  us = demo.region('us');
});

test('changes that the log forgot before a peer read them are a gap, which repairs itself (I3, P6)', async () => {
  await eu.put('products', 'before', { title: 'before' });
  await eu.put('products', 'gone', { title: 'gone' });
  await us.put('products', 'own', { title: 'own' });
  await converged([eu, us], 'products', 10_000);
  expect(await us.metrics()).not.toMatch(/^isthmus_transfers_total/m);
  await demo.setLink('eu', 'us', 'cut');
  for (let index = 0; index < 40; index++) await eu.put('products', `lost-${index}`, { title: 'x' });
  await eu.delete('products', 'gone');
  await until('the own log holds them', 10_000, async () =>
    /rpo_changes\{peer="log"\} 0$/m.test(await eu.metrics()),
  );
  await forgetChanges(demo.serversOf('eu'));
  await us.put('products', 'from-us', { title: 'goes on' });
  await demo.setLink('eu', 'us', 'ok');
  await until(
    'us has what the log lost',
    30_000,
    async () => (await us.get('products', 'lost-0')).status === 200,
  );
  await eu.put('products', 'after', { title: 'after' });
  await until('reading goes on', 20_000, async () => (await us.get('products', 'after')).status === 200);
  await converged([eu, us], 'products', 20_000);
  expect((await us.get('products', 'gone')).status).toBe(404);
  await until('no gap is open', 10_000, async () => {
    const { gaps, transfers } = await us.status();
    return gaps === 0 && transfers === 0;
  });
  await until('lag is small again', 10_000, async () => ((await us.peer('eu')).lagSeconds ?? 9) < 2);
  const metrics = await us.metrics();
  expect(metrics).toMatch(/^isthmus_gaps_total\{origin="eu",cause="missing-interval"\} 8$/m);
  expect(metrics).toMatch(/^isthmus_transfers_total\{origin="eu",cause="gap"\} 1$/m);
  expect(await eu.metrics()).not.toMatch(/^isthmus_transfers_total/m);
}, 120_000);

test('changes that a lost slot never gave to the log come from the records (P6)', async () => {
  const { database } = demo.serversOf('eu');
  await converged([eu, us], 'products', 20_000);
  const goOn = await holdLog(demo, 'eu');
  for (let index = 0; index < 20; index++) await eu.put('products', `unread-${index}`, { title: 'x' });
  await demo.signal('eu', 'region', 'SIGKILL');
  await goOn();
  await until('the slot is dropped', 20_000, async () => {
    await query(database, "SELECT pg_drop_replication_slot('isthmus_relay')");
    return true;
  });
  await demo.signal('eu', 'region', 'start');
  await until(
    'us has what no log ever held',
    60_000,
    async () => (await us.get('products', 'unread-19')).status === 200,
  );
  await eu.put('products', 'after-slot', { title: 'after' });
  await until('reading goes on', 30_000, async () => (await us.get('products', 'after-slot')).status === 200);
  await converged([eu, us], 'products', 20_000);
  expect(await eu.metrics()).toMatch(/^isthmus_gaps_total\{origin="eu",cause="slot-lost"\} 1$/m);
  await until('the transfer is counted', 10_000, async () =>
    /^isthmus_transfers_total\{origin="eu",cause="slot-lost"\} \d+$/m.test(await us.metrics()),
  );
  await until('RPO is small again', 20_000, async () => ((await eu.peer('us')).rpoSeconds ?? 9) < 2);
}, 180_000);

test('a sweep proves what both sides show, and what it finds diverged is told and mended (P7)', async () => {
  await converged([eu, us], 'products', 20_000);
  const swept = async (since: number): Promise<boolean> => {
    const { verifiedThrough, diverged } = await us.peer('eu');
    return diverged === false && Date.parse(verifiedThrough ?? '') >= since;
  };
  const before = await us.clockMs();
  await us.sweep();
  await until('a clean sweep', 120_000, () => swept(before));
  const { database } = demo.serversOf('us');
  await query(database, "DELETE FROM isthmus.record WHERE key IN ('before', 'lost-7')");
  const damaged = await us.clockMs();
  await us.sweep();
  await until('the damage is mended and proven to be', 90_000, () => swept(damaged));
  expect((await us.get('products', 'lost-7')).status).toBe(200);
  await converged([eu, us], 'products', 10_000);
  expect(await us.metrics()).toMatch(/^isthmus_transfers_total\{origin="eu",cause="sweep"\} \d+$/m);
}, 300_000);

test('the command line repairs what differs, and only says so in a dry run', async () => {
  const { database } = demo.serversOf('us');
  await query(database, "DELETE FROM isthmus.record WHERE key = 'lost-9'");
  const dry = await isthmus(demo.pid, 'digest products --repair --dry-run --json');
  expect(dry).toMatchObject({ code: 1, answer: { equal: false, dryRun: true } });
  expect((await us.get('products', 'lost-9')).status).toBe(404);
  const repaired = await isthmus(demo.pid, 'digest products --repair --json');
  expect(repaired).toMatchObject({ code: 0, answer: { equal: true } });
  expect((await us.get('products', 'lost-9')).status).toBe(200);
  const fetched = await isthmus(demo.pid, 'transfer --from eu --region us --json');
  expect(fetched).toMatchObject({
    code: 0,
    answer: {
      transfers: [{ region: 'us', transfer: { donor: 'eu', cause: 'repair', state: 'done', merged: 0 } }],
    },
  });
}, 120_000);

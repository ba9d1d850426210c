/**
 * A region has published a change in a form that nobody can read, under its own seal. Its peer puts it aside and says so
 * until an operator gives it up, and then has what the record came to all the same (P4, P6).
 */
import { readFileSync } from 'node:fs';
import { encodeLogRecord } from '@isthmus/replication/log/log-record';
import { expect, test } from 'vitest';
import { recordIn, sealWith } from '../forging.ts';
import { until } from '../until.ts';
import { appendToLog, type Entry, readChanges } from './kafka-log.ts';
import { forgetChanges } from './log-under-test.ts';
import { useCluster } from './use-cluster.ts';
import { converged } from './verdict.ts';

const site = useCluster('given-up');

/** As the region would have published it with a fault in what writes this change. */
function garbled({ partition, value }: Entry): Entry {
  const record = recordIn(value);
  if (record?.kind !== 'changes') return { partition, value };
  const changes = record.changes.map((change) =>
    change.key === 'lamp' ? { ...change, delta: change.delta.subarray(0, -1) } : change,
  );
  const body = encodeLogRecord({ ...record, changes });
  return { partition, value: sealWith({ region: 'eu', keyOf: 'eu' }, partition, body) };
}

/** Nothing is published meanwhile, and the peer reads nothing. */
async function rewriteLog(): Promise<void> {
  const { process, postgres, brokers } = site.eu;
  await process.kill('SIGSTOP');
  const entries = await readChanges(brokers);
  await forgetChanges({ region: 'eu', database: postgres.url, brokers });
  await appendToLog(brokers, 'changes', entries.map(garbled));
  await process.kill('SIGCONT');
}

test('what nobody can read holds progress back until it is given up, and is not lost by that (P4, P6)', async () => {
  const { eu, us } = site.clients;
  await eu.put('products', 'before', { title: 'before' });
  await converged([eu, us], 'products', 20_000);
  const link = site.cluster.links.find('eu', 'us') ?? expect.fail('a link joins them');
  link.set({ state: 'cut' });
  await eu.put('products', 'lamp', { title: 'lamp' });
  await until('the own log holds it', 10_000, async () =>
    /rpo_changes\{peer="log"\} 0$/m.test(await eu.metrics()),
  );
  await rewriteLog();
  link.set({ state: 'ok' });
  const [letter] = await until('us has put it aside', 60_000, async () => {
    const letters = await us.deadLetters();
    return letters.length > 0 ? letters : null;
  });
  const id = letter?.id ?? '';
  expect(letter).toMatchObject({ origin: 'eu', key: 'lamp', cause: 'malformed' });
  await eu.put('products', 'after', { title: 'after' });
  const has = (key: string) => async () => (await us.get('products', key)).status === 200;
  await until('the rest flows', 30_000, has('after'));
  expect(await has('lamp')()).toBe(false);
  const lacks = async () => ((await eu.peer('us')).rpoChanges ?? 0) > 0;
  await until('eu is told that something is missing', 20_000, lacks);

  const dry = await us.discardDeadLetter(id, { reason: 'a fault', dryRun: true });
  expect(dry).toMatchObject({ status: 200, body: { dryRun: true, outcome: 'waiting', cause: 'malformed' } });
  expect(await us.deadLetters()).toMatchObject([{ id }]);
  expect(await us.discardDeadLetter(id, { reason: '', dryRun: false })).toMatchObject({ status: 422 });
  const given = await us.discardDeadLetter(id, { reason: 'a fault of eu', dryRun: false });
  expect(given).toMatchObject({ status: 202, body: { id, outcome: 'waiting' } });
  await until('nothing is aside any more', 60_000, async () => (await us.deadLetters()).length === 0);
  expect(await has('lamp')()).toBe(true);
  await until(
    'eu is told that nothing is missing',
    20_000,
    async () => (await eu.peer('us')).rpoChanges === 0,
  );
  await converged([eu, us], 'products', 20_000);

  expect(await us.status()).toMatchObject({
    deadLetters: 0,
    gaps: 0,
    givenUpDeadLetters: { waiting: 0, repaired: 1, lost: 0 },
  });
  expect(await us.metrics()).toMatch(/^isthmus_given_up_dead_letters\{origin="eu",fate="repaired"\} 1$/m);
  expect(readFileSync(site.us.process.logFile, 'utf8')).toMatch(
    /"reason":"a fault of eu".*"an operator gives up a dead letter"/,
  );
  expect(await us.discardDeadLetter(id, { reason: 'again', dryRun: false })).toMatchObject({ status: 404 });
}, 180_000);

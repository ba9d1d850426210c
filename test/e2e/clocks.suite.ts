/**
 * A region's clock that jumps, on real servers: a second process of the region is played by the engine on the same
 * database, with a clock of the test's own.
 */
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { schema } from '@isthmus/conflict';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { Journal } from '@isthmus/replication/journal/journal';
import { actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import type { RegionClient } from './region-client.ts';
import { useDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

const maxDriftMs = 60_000;
const profiles = schema(
  {
    name: { type: 'register' },
    email: { type: 'register' },
    bio: { type: 'register' },
    visits: { type: 'counter' },
  },
  { deletes: 'last-writer-wins' },
);

const demo = useDemo();
let eu: RegionClient;
let us: RegionClient;
let database: Database;

beforeAll(async () => {
  eu = demo.region('eu');
  us = demo.region('us');
  const region = parseRegionId('eu') ?? expect.fail('eu is a region');
  const found = demo.ready.regions.find((candidate) => candidate.region === 'eu');
  database = await openDatabase({ connectionString: found?.database ?? '', region, peers: [] });
});

afterAll(async () => {
  await database.close();
});

/** Another process of eu, whose clock is wrong by this much. */
function processWith(offsetMs: number): Journal {
  const { records, clock, identity } = database;
  return new Journal({
    store: records,
    clock: { nowMs: () => clock.nowMs() + offsetMs },
    actor: actorOf(identity.region, identity.incarnation),
    timer: systemTimer,
    maxWaitingEdits: 100,
    paceMs: () => 0,
    onBatch: () => undefined,
  });
}

async function write(journal: Journal, key: string, name: string): Promise<void> {
  const outcome = await journal.write([
    {
      id: { collection: 'profiles', key },
      edit: (before, context) => {
        const { state, delta } = profiles.edit(before, context, (editor) => editor.set('name', name));
        return { kind: 'write', state, delta, result: null };
      },
    },
  ]);
  expect(outcome.kind).toBe('done');
}

test('changes of a clock too far ahead are put aside, the rest flows, and they are applied once time has caught up', async () => {
  const aheadMs = maxDriftMs + 12_000;
  await write(processWith(aheadMs), 'ahead', 'from the future');
  await eu.put('profiles', 'beside', { name: 'now' });
  const [letter] = await until('us has put it aside', 15_000, async () => {
    const letters = await us.deadLetters();
    return letters.length > 0 ? letters : null;
  });
  expect(letter).toMatchObject({ origin: 'eu', key: 'ahead', cause: 'clock-too-far-ahead' });
  await until('the rest flows', 10_000, async () => (await us.get('profiles', 'beside')).status === 200);
  expect((await us.get('profiles', 'ahead')).status).toBe(404);
  const early = await us.retryDeadLetter(letter?.id ?? '', false);
  expect(early).toMatchObject({ status: 200, body: { outcome: 'kept', cause: 'clock-too-far-ahead' } });
  await until('it is applied by itself', 30_000, async () => {
    return (await us.get('profiles', 'ahead')).status === 200;
  });
  expect(await us.status()).toMatchObject({ deadLetters: 0 });
  expect(await us.retryDeadLetter(letter?.id ?? '', true)).toMatchObject({ status: 404 });
  await converged([eu, us], 'profiles', 20_000);
}, 120_000);

test('processes with different clocks write one record under one another, and the last write wins everywhere', async () => {
  const offsets = [0, 20_000, -3_600_000, 30_000, -5000];
  const journals = offsets.map(processWith);
  for (let round = 0; round < 4; round++)
    for (const [index, journal] of journals.entries()) await write(journal, 'jumping', `${round}-${index}`);
  expect((await eu.get('profiles', 'jumping')).body).toMatchObject({ value: { name: '3-4' }, conflicts: [] });
  await converged([eu, us], 'profiles', 20_000);
  expect((await us.get('profiles', 'jumping')).body).toMatchObject({ value: { name: '3-4' }, conflicts: [] });
  await Promise.all(journals.map((journal, index) => write(journal, 'together', `${index}`)));
  await eu.patch('profiles', 'together', { set: { bio: 'last' } });
  await converged([eu, us], 'profiles', 20_000);
  const [here, there] = [await eu.get('profiles', 'together'), await us.get('profiles', 'together')];
  expect(here.body).toEqual(there.body);
}, 90_000);

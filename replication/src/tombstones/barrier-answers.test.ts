import { expect, it } from 'vitest';
import { ReplicationError } from '../errors.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Standing } from '../ports/transfer-store.ts';
import { BarrierAnswers } from './barrier-answers.ts';

const regionNamed = (name: string) => parseRegionId(name) ?? expect.fail(`${name} is no region`);
const incarnation = { counter: 1, nonce: 7 };
const self = { region: regionNamed('eu'), incarnation, partitionCount: 1 };
const us = regionNamed('us');
const own = (lsn: bigint) => ({ region: self.region, incarnation, partition: 0, lsn });

function open() {
  const database = { insertLsn: 5n, noted: [] as bigint[], isDown: false };
  const standing = async (): Promise<Standing> => ({
    settled: [],
    applied: [],
    ahead: [],
    whole: [],
    horizon: [],
    floorMs: 0,
    insertLsn: database.insertLsn,
    beat: null,
    beats: [],
    slot: null,
    isEmpty: false,
    refill: 'none',
    readAtMs: 0,
  });
  const noteAnswered = async (position: bigint): Promise<void> => {
    if (database.isDown)
      throw new ReplicationError('database-unavailable', 'the database is down', { retriable: true });
    database.noted.push(position);
  };
  const answers = new BarrierAnswers(self, { standing: { standing }, store: { noteAnswered } });
  return { database, answers };
}

const ask = (round: number) => ({ number: 1, round, vector: null });

it('notes how far the own changes go before it says so, once for each asking (P8)', async () => {
  const { database, answers } = open();
  answers.note(us, incarnation, ask(1));
  expect(await answers.all()).toMatchObject([{ asker: us, round: 1, position: [own(5n)] }]);
  expect(database.noted).toEqual([5n]);
  database.insertLsn = 8n;
  expect(await answers.all()).toMatchObject([{ position: [own(5n)] }]);
  expect(database.noted).toEqual([5n]);
  answers.note(us, incarnation, ask(2));
  expect(await answers.all()).toMatchObject([{ round: 2, position: [own(8n)] }]);
  expect(database.noted).toEqual([5n, 8n]);
});

it('says nothing that it could not note, and takes a later position then', async () => {
  const { database, answers } = open();
  answers.note(us, incarnation, ask(1));
  database.isDown = true;
  await expect(answers.all()).rejects.toMatchObject({ code: 'database-unavailable' });
  database.isDown = false;
  database.insertLsn = 8n;
  expect(await answers.all()).toMatchObject([{ position: [own(8n)] }]);
  expect(database.noted).toEqual([8n]);
});

it('notes its own changes up to where others have applied them before it says that they are covered', async () => {
  const { database, answers } = open();
  answers.note(us, incarnation, ask(1));
  await answers.all();
  database.insertLsn = 9n;
  answers.note(us, incarnation, { ...ask(1), vector: [own(5n)] });
  expect(await answers.all()).toMatchObject([{ isCovered: true, position: [own(5n)] }]);
  expect(database.noted).toEqual([5n]);
  answers.note(us, incarnation, { ...ask(1), vector: [own(7n)] });
  expect(await answers.all()).toMatchObject([{ isCovered: true, position: [own(5n)] }]);
  expect(database.noted).toEqual([5n, 9n]);
});

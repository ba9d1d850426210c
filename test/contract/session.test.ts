/** Round trips of many statements on a real Postgres: what is answered, what fails, and what is then not carried out. */
import { AssertionFailure } from '@isthmus/replication/errors';
import { commitWith } from '@isthmus/replication/adapters/postgres/commit';
import { type Statement, Session, begin, commit } from '@isthmus/replication/adapters/postgres/session';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../until.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
let pool: Pool;
let session: Session;
const answerTimeoutMs = 8_000;

beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});
beforeEach(async () => {
  pool = new Pool({ connectionString: postgres.url });
  await pool.query('DROP TABLE IF EXISTS item; CREATE TABLE item (key text PRIMARY KEY, value bytea)');
  session = new Session(await pool.connect(), answerTimeoutMs);
});
afterEach(async () => {
  session.drop();
  await pool.end();
});

const insert: Statement = { name: 'insert', text: 'INSERT INTO item VALUES ($1, $2)' };
const select: Statement = { name: 'select', text: 'SELECT key, value, 7, true, NULL FROM item ORDER BY key' };
const keys = async () => (await pool.query('SELECT key FROM item ORDER BY key')).rows.map(({ key }) => key);
const code = (state: string) => ({ cause: { code: state } });

it('answers each statement in order, with values of its types, and knows it the next time', async () => {
  for (const turn of ['a', 'b', 'c']) {
    const [, one, two] = await session.pipeline([
      [insert, turn, Uint8Array.of(0, 255)],
      [insert, `${turn}2`, null],
      [select],
    ]);
    expect({ command: one?.command, rowCount: one?.rowCount }).toEqual({ command: 'INSERT', rowCount: 1 });
    expect(two?.rows.slice(-2)).toEqual([
      [turn, Buffer.of(0, 255), 7, true, null],
      [`${turn}2`, null, 7, true, null],
    ]);
    expect(two?.rowCount).toBe(two?.rows.length);
  }
});

it('reads what stands behind another on one session, as the other has made it known meanwhile', async () => {
  await session.query(insert, 'a', null);
  const answers = await Promise.all([session.query(select), session.query(select)]);
  expect(answers.map(({ rows }) => rows)).toEqual([
    [['a', null, 7, true, null]],
    [['a', null, 7, true, null]],
  ]);
});

it('carries out nothing behind a statement that fails, a COMMIT least of all (I1)', async () => {
  const sent = await session.send([
    [begin],
    [insert, 'a', null],
    [insert, 'a', null],
    [insert, 'b', null],
    [commit],
  ]);
  expect(sent.answers.map(({ command }) => command)).toEqual(['BEGIN', 'INSERT']);
  expect(sent.failure).toMatchObject(code('23505'));
  await session.rollback();
  expect(await keys()).toEqual([]);
  await session.pipeline([[begin], [insert, 'c', null], [commit]]);
  expect(await keys()).toEqual(['c']);
});

it('statements outside a transaction are one, and none of it stays where one fails', async () => {
  await expect(
    session.pipeline([
      [insert, 'a', null],
      [insert, 'a', null],
    ]),
  ).rejects.toMatchObject(code('23505'));
  expect(await keys()).toEqual([]);
});

it('what fails only as it is committed is not answered', async () => {
  await pool.query(
    'DROP TABLE IF EXISTS late; CREATE TABLE late (key text UNIQUE DEFERRABLE INITIALLY DEFERRED)',
  );
  const late: Statement = { name: 'late', text: 'INSERT INTO late VALUES ($1)' };
  const { answers, failure } = await session.send([
    [late, 'a'],
    [late, 'a'],
  ]);
  expect(answers.length).toBe(1);
  expect(failure).toMatchObject(code('23505'));
});

it('a statement that failed the first time is sent again whole, whether the server had parsed it or not', async () => {
  const later: Statement = { name: 'later', text: 'SELECT key FROM elsewhere' };
  await expect(session.query(later)).rejects.toMatchObject(code('42P01'));
  await expect(session.pipeline([[insert, 'a', 'no bytes \\'], [select]])).rejects.toBeInstanceOf(
    AssertionFailure,
  );
  await pool.query("CREATE TABLE elsewhere AS SELECT 'there' AS key");
  expect((await session.query(later)).rows).toEqual([['there']]);
  await session.pipeline([[insert, 'a', null], [select]]);
  await pool.query('DROP TABLE elsewhere');
});

it('the outcome is unknown where the connection ends after the COMMIT was sent, and only then', async () => {
  const wait: Statement = { name: 'wait', text: 'SELECT pg_sleep($1)' };
  await session.pipeline([[begin], [insert, 'a', null]]);
  const committing = commitWith(session, { before: [], after: [[wait, 60]] });
  const killing = until('the commit is done', 10_000, async () => (await keys()).length === 1).then(() =>
    pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"),
  );
  await expect(committing).rejects.toMatchObject({ code: 'outcome-unknown' });
  await killing;
  expect(session.lost).not.toBeNull();
});

it('leaves a server that does not answer', async () => {
  const impatient = new Session(await pool.connect(), 50);
  const sleep: Statement = { name: 'sleep', text: 'SELECT pg_sleep(60)' };
  await expect(impatient.query(sleep)).rejects.toMatchObject({ code: 'database-unavailable' });
  expect(impatient.lost).not.toBeNull();
  impatient.drop();
});

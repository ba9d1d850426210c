/** Whether the server is silent is not told by a process that was busy itself. */
import { Connections } from '@isthmus/replication/adapters/postgres/connections';
import type { Session } from '@isthmus/replication/adapters/postgres/session';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { PostgresRegion } from './postgres-region.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
let region: PostgresRegion;
let connections: Connections;
beforeAll(async () => {
  postgres = await startScratchPostgres();
  region = await PostgresRegion.begin(postgres);
  const { identity } = await region.open();
  const pool = { connectionString: region.fresh.url, maxConnections: 4, trustsRestarts: true };
  connections = new Connections(pool, identity.incarnation);
});
afterAll(async () => {
  await connections.close();
  await region.close();
  await postgres.stop();
});

const ask = (text: string) => (session: Session) => session.query({ name: null, text });
const read = () => connections.read(ask('SELECT 1'));

/** Nothing but the pulse is asked meanwhile. */
const passing = (ms: number) => {
  const endMs = performance.now() + ms;
  return until(`${ms} ms have passed`, ms + 5000, () => performance.now() > endMs);
};
const isRefused = () =>
  read().then(
    () => false,
    (reason: unknown) => reason instanceof Error && /has not answered/.test(reason.message),
  );

test('while an answer is overdue every call is refused at once, until it comes', async () => {
  const pulse = connections.pulse(ask('SELECT pg_sleep(3)'));
  await passing(1500);
  expect(await isRefused()).toBe(true);
  await pulse;
  await expect(read()).resolves.toBeDefined();
});

test('one slow connection is no silence where others are answered, but one that follows is', async () => {
  const pulse = connections.pulse(ask('SELECT pg_sleep(4)'));
  const endMs = performance.now() + 1500;
  await until('1.5 s have passed, and no call was refused', 5000, async () => {
    await read();
    return performance.now() > endMs;
  });
  await passing(2000);
  expect(await isRefused()).toBe(true);
  await pulse;
});

test('an answer to another call ends the silence', async () => {
  const late = connections.read(ask('SELECT pg_sleep(2)'));
  const pulse = connections.pulse(ask('SELECT pg_sleep(4)'));
  await passing(1500);
  expect(await isRefused()).toBe(true);
  await late;
  await expect(read()).resolves.toBeDefined();
  await pulse;
});

test('an answer that came while the process was busy is not overdue', async () => {
  await read();
  let called: Promise<unknown> = Promise.reject(new Error('it was not called'));
  called.catch(() => undefined);
  await connections.pulse(async (session) => {
    const answer = ask('SELECT 1')(session);
    await new Promise((resolve) => {
      setTimeout(() => resolve((called = read())), 950);
      const endMs = performance.now() + 1000;
      while (performance.now() < endMs);
    });
    return answer;
  });
  await expect(called).resolves.toBeDefined();
});

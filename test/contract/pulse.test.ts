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

test('while an answer is overdue every call is refused at once, until it comes', async () => {
  const pulse = connections.pulse(ask('SELECT pg_sleep(1.5)'));
  await until('a call is refused', 10_000, () =>
    read().then(
      () => false,
      (reason: unknown) => reason instanceof Error && /has not answered/.test(reason.message),
    ),
  );
  await pulse;
  await expect(read()).resolves.toBeDefined();
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

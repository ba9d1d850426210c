import { ReplicationError } from '@isthmus/replication/errors';
import { findFreePort } from '@isthmus/local/free-port';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import type { Config } from './config.ts';
import { type Opened, RegionProcess } from './region-process.ts';

it('is not ready while a database that became another incarnation cannot be opened again', async () => {
  const away = new ReplicationError('database-unavailable', 'no answer', { retriable: true });
  let isRenewed = false;
  let isAway = false;
  const nothing = async () => undefined;
  const opened: Pick<
    Opened,
    'isRenewed' | 'askDatabase' | 'closeWrites' | 'closeReplication' | 'closeDatabase'
  > = {
    isRenewed: () => isRenewed,
    askDatabase: nothing,
    closeWrites: nothing,
    closeReplication: nothing,
    closeDatabase: nothing,
  };
  const port = await findFreePort();
  const adminAddress = { host: '127.0.0.1', port };
  const config: Pick<Config, 'region' | 'adminAddress' | 'roles'> = {
    region: 'eu' as Config['region'],
    adminAddress,
    roles: new Set(['replicator']),
  };
  const region = new RegionProcess({
    config: config as Config,
    log: pino({ level: 'silent' }),
    crash: (failure) => {
      throw failure;
    },
    open: async () => {
      if (isAway) throw away;
      isRenewed = false;
      return opened as Opened;
    },
  });
  const readiness = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  await region.start();
  expect(await readiness()).toBe(200);
  [isAway, isRenewed] = [true, true];
  await vi.waitFor(async () => expect(await readiness()).toBe(503), { timeout: 10_000 });
  isAway = false;
  await vi.waitFor(async () => expect(await readiness()).toBe(200), { timeout: 10_000 });
  expect(await region.stop()).toBe(true);
});

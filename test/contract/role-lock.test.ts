/** The contract of `RoleLock` in memory and on a real Postgres. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryRoleLock } from '@isthmus/replication/adapters/memory/role-lock';
import { afterAll, beforeAll, vi } from 'vitest';
import { StruckRegion } from './postgres-region.ts';
import { roleLockContract } from './role-lock.contract.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

roleLockContract('memory', async () => {
  const database = new MemoryDatabase({ nowMs: () => 1000 });
  return {
    one: new MemoryRoleLock(database),
    two: new MemoryRoleLock(database),
    disconnect: async () => database.disconnect(),
    // No process stands still while others run here: what is left of it is the end of its connection.
    stop: () => {
      database.disconnect();
      return () => undefined;
    },
    goDown: null,
    close: async () => undefined,
  };
});

roleLockContract('postgres', async () => {
  const region = await StruckRegion.on(postgres);
  const intervals = heldIntervals();
  const [one, two] = [await region.open(), await region.open()];
  return {
    one: one.lock,
    two: two.lock,
    disconnect: async () => {
      await region.fresh.sql(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
    },
    stop: intervals.hold,
    goDown: async () => {
      await region.kill();
      return () => region.comeUp();
    },
    close: async () => {
      intervals.end();
      await region.close();
    },
  };
});

/** A holder does nothing by itself but what it asks at intervals: a process that stands still asks nothing. */
function heldIntervals() {
  const { setInterval: start } = globalThis;
  let made: { isHeld: boolean }[] = [];
  vi.stubGlobal('setInterval', (fire: () => void, delayMs: number) => {
    const own = { isHeld: false };
    made.push(own);
    return start(() => (own.isHeld ? undefined : fire()), delayMs);
  });
  const hold = (): (() => void) => {
    const held = made;
    made = [];
    for (const each of held) each.isHeld = true;
    return () => {
      for (const each of held) each.isHeld = false;
    };
  };
  return { hold, end: () => vi.unstubAllGlobals() };
}

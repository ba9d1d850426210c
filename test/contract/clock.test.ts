/**
 * The contract of `Clock` in memory, on a real Postgres, and in the simulator. Nobody sets the clock of a machine for a
 * test: in the database that is read here another function stands before the one that tells the time.
 */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { MemoryClock } from '@isthmus/replication/adapters/memory/clock';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { Connections } from '@isthmus/replication/adapters/postgres/connections';
import { DatabaseClock } from '@isthmus/replication/adapters/postgres/database-clock';
import { ReplicationError } from '@isthmus/replication/errors';
import { Client } from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { until } from '../until.ts';
import { clockContract } from './clock.contract.ts';
import { passing } from './manual-time.ts';
import { StruckRegion } from './postgres-region.ts';
import { SimulatedRegion } from './simulated-region.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

/** Answers that are kept, each after the reading of which it is one. */
class Gate {
  #opening: Promise<void> | null = null;
  #count = 0;

  async hold(): Promise<() => Promise<void>> {
    let open = (): void => undefined;
    this.#opening = new Promise((resolve) => {
      open = resolve;
    });
    return async () => {
      this.#opening = null;
      open();
    };
  }

  async pass<T>(answer: T): Promise<T> {
    if (this.#opening !== null) {
      this.#count++;
      await this.#opening;
    }
    return answer;
  }

  async held(count: number): Promise<void> {
    await until('the readings are made', 10_000, () => this.#count >= count);
  }
}

clockContract('memory', async () => {
  const [timer, gate] = [new ManualTimer(), new Gate()];
  const clock = new MemoryClock(timer);
  let [offsetMs, isUp] = [1_700_000_000_000, true];
  const truth = async (): Promise<number> => {
    if (!isUp) throw new ReplicationError('database-unavailable', 'it is down', { retriable: true });
    return offsetMs + timer.monotonicMs();
  };
  return {
    clock,
    calibrate: () => clock.calibrate(async () => gate.pass(await truth())),
    truth,
    set: async (byMs) => {
      offsetMs += byMs;
    },
    hold: () => gate.hold(),
    held: (count) => gate.held(count),
    goDown: async () => {
      isUp = false;
      return async () => {
        isUp = true;
      };
    },
    go: (coming) => passing(timer, coming),
    close: async () => undefined,
  };
});

clockContract('the simulator', async () => {
  const simulated = new SimulatedRegion();
  const { process, postgres: reached } = simulated.open();
  const [clock, gate] = [new MemoryClock(process.timer), new Gate()];
  const { region } = simulated;
  return {
    clock,
    calibrate: () => clock.calibrate(() => reached.read('clock', () => gate.pass(region.clock.nowMs()))),
    truth: async () => region.clock.nowMs(),
    set: async (byMs) => region.clock.jump(byMs),
    hold: () => gate.hold(),
    held: (count) => gate.held(count),
    goDown: async () => {
      simulated.goDown();
      return async () => simulated.comeUp();
    },
    go: (coming) => coming,
    close: () => simulated.close(),
  };
});

/** Holds answers back while somebody has the lock. */
const otherClock = `
  CREATE SCHEMA told;
  CREATE TABLE told.clock (ahead_ms float8);
  INSERT INTO told.clock VALUES (0);
  CREATE FUNCTION told.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$
  DECLARE
    reading timestamptz := pg_catalog.clock_timestamp() + (SELECT ahead_ms FROM told.clock) * interval '1 ms';
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(4711);
    RETURN reading;
  END $$`;
const waiting = `SELECT count(*)::int AS count FROM pg_locks
  WHERE locktype = 'advisory' AND NOT granted AND objid = 4711`;

async function lockedBy(url: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('SELECT pg_advisory_lock(4711)');
  return () => client.end();
}

clockContract('postgres', async () => {
  const region = await StruckRegion.on(postgres);
  const { fresh } = region;
  const { identity } = await region.open();
  await fresh.sql(otherClock);
  await fresh.sql(`ALTER DATABASE ${fresh.name} SET search_path = told, pg_catalog`);
  const pool = { connectionString: fresh.url, maxConnections: 4, trustsRestarts: true };
  const connections = new Connections(pool, identity.incarnation);
  const clock = new DatabaseClock(connections);
  return {
    clock,
    calibrate: () => clock.calibrate(),
    truth: async () => {
      const [row] = await fresh.sql(`SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000
        + ahead_ms)::float8 AS now FROM told.clock`);
      return Number(row?.['now']);
    },
    set: async (byMs) => {
      await fresh.sql('UPDATE told.clock SET ahead_ms = ahead_ms + $1', [byMs]);
    },
    hold: () => lockedBy(fresh.url),
    held: async (count) => {
      await until('the readings are made', 10_000, async () => {
        const [row] = await fresh.sql(waiting);
        return Number(row?.['count']) >= count;
      });
    },
    goDown: async () => {
      await region.kill();
      return () => region.comeUp();
    },
    go: (coming) => coming,
    close: async () => {
      await connections.close();
      await region.close();
    },
  };
});

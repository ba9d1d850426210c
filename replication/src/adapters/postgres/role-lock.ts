/**
 * The replicator's lock as a session-level advisory lock on a connection of its own. The session ends itself on the
 * server when it is idle for longer than its holder ever is, so a holder that was stopped (and whose kernel still
 * answers for it) does not keep the lock; and it falls at once when the holder's process dies.
 */
import pg from 'pg';
import type { HeldLock, RoleLock } from '../../ports/role-lock.ts';
import { replicatorLock } from './advisory-keys.ts';
import { clientConfig } from './connections.ts';
import { toReplicationError } from './postgres-error.ts';

const pingIntervalMs = 1_000;
const answerTimeoutMs = 3_000;
/** How long a holder that has stopped keeps the lock. */
const idleSessionTimeoutMs = 5_000;

export class PostgresRoleLock implements RoleLock {
  readonly #connectionString: string;

  constructor(connectionString: string) {
    this.#connectionString = connectionString;
  }

  async tryAcquire(): Promise<HeldLock | null> {
    const client = new pg.Client({ ...clientConfig(this.#connectionString), query_timeout: answerTimeoutMs });
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
      client.on('error', () => resolve());
    });
    try {
      await client.connect();
      await client.query(`SET idle_session_timeout = ${idleSessionTimeoutMs}`);
      const answer = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS held', [
        ...replicatorLock,
      ]);
      if (answer.rows[0]?.held === true) return hold(client, ended);
      await client.end();
      return null;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw toReplicationError(error);
    }
  }
}

function hold(client: pg.Client, ended: Promise<void>): HeldLock {
  const end = () => client.end().catch(() => undefined);
  const timer = setInterval(() => void client.query('SELECT 1').catch(end), pingIntervalMs);
  const lost = ended.then(() => clearInterval(timer));
  return {
    lost,
    release: async () => {
      clearInterval(timer);
      await end();
    },
  };
}

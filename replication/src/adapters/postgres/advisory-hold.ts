/**
 * A connection of its own that holds one advisory lock: while the connection stands, the lock stands, and neither
 * outlives the other. A holder that is alive but stopped must not keep the others waiting, so the server ends the
 * connection when nothing has been heard on it for a few seconds; whoever holds one uses it more often than that.
 */
import type { Connections } from './connections.ts';
import type { Session } from './session.ts';

const silenceLimitMs = 3_000;

export type LockKey = readonly [number, number];

const tryLock = { name: 'isthmus_try_lock', text: 'SELECT pg_try_advisory_lock($1, $2)' };
const unlock = { name: 'isthmus_unlock', text: 'SELECT pg_advisory_unlock($1, $2)' };
const limitSilence = {
  name: null,
  text: `SELECT set_config('idle_session_timeout', '${silenceLimitMs}', false)`,
};

/** `null` while another connection holds the lock. */
export async function tryHold(connections: Connections, key: LockKey): Promise<Session | null> {
  const session = await connections.checkOut('write');
  try {
    const answer = await session.query(tryLock, ...key);
    if (answer.rows[0]?.[0] !== true) {
      session.release();
      return null;
    }
    await session.query(limitSilence);
    return session;
  } catch (error) {
    session.drop();
    throw error;
  }
}

/** Frees the lock before it returns; where the connection is lost, the lock fell with it. */
export async function releaseHold(session: Session, key: LockKey): Promise<void> {
  try {
    if (session.lost === null) await session.query(unlock, ...key);
  } finally {
    session.drop();
  }
}

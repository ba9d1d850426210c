/**
 * The replicator's lock as an advisory lock on a connection of its own. Its holder asks for something every second,
 * so that the server does not take its silence for a stop, and learns in the same way that the lock is gone.
 */
import type { HeldLock, RoleLock } from '../../ports/role-lock.ts';
import { releaseHold, tryHold } from './advisory-hold.ts';
import { replicatorLock } from './advisory-keys.ts';
import type { Connections } from './connections.ts';
import type { Session } from './session.ts';

const askIntervalMs = 1_000;

const ask = { name: 'isthmus_ask', text: 'SELECT 1' };

export class PostgresRoleLock implements RoleLock {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async tryAcquire(): Promise<HeldLock | null> {
    const session = await tryHold(this.#connections, replicatorLock);
    return session === null ? null : new AskedLock(session);
  }
}

class AskedLock implements HeldLock {
  readonly lost: Promise<void>;
  readonly #session: Session;
  readonly #timer: NodeJS.Timeout;
  /** One question at a time, however long a server takes to answer. */
  #asking: Promise<void> | null = null;
  #isReleased = false;

  constructor(session: Session) {
    this.#session = session;
    let lose = (): void => undefined;
    this.lost = new Promise((resolve) => {
      lose = resolve;
    });
    this.#timer = setInterval(() => {
      this.#asking ??= this.#ask(lose).finally(() => {
        this.#asking = null;
      });
    }, askIntervalMs);
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    clearInterval(this.#timer);
    await this.#asking;
    await releaseHold(this.#session, replicatorLock);
  }

  async #ask(lose: () => void): Promise<void> {
    try {
      await this.#session.query(ask);
    } catch {
      // Whatever the reason, nobody can say any more that the lock is held.
      clearInterval(this.#timer);
      lose();
    }
  }
}

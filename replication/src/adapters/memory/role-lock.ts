/** The replicator's lock on a database in memory: it falls with the server's connections, like the real one. */
import type { HeldLock, RoleLock } from '../../ports/role-lock.ts';
import type { MemoryDatabase } from './database.ts';

export class MemoryRoleLock implements RoleLock {
  readonly #database: MemoryDatabase;

  constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  async tryAcquire(): Promise<HeldLock | null> {
    const lock = this.#database.tryLock('replicator');
    if (lock === null) return null;
    return {
      lost: lock.lost,
      release: async () => lock.release(),
    };
  }
}

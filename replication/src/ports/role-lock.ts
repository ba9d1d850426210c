/**
 * Which process of a region replicates, where one at a time should. Holding the lock avoids waste and never protects
 * data: that is what the slot and the positions' compare-and-set are for (P4). A holder that stops without dying
 * loses the lock within seconds, so that a standby can go on.
 */
export interface HeldLock {
  /** Resolves when it is found that the lock is no longer held, for whatever reason but its release. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

export interface RoleLock {
  /** `null` while another process holds it; rejects with a retriable `ReplicationError` where nobody can tell. */
  tryAcquire(): Promise<HeldLock | null>;
}

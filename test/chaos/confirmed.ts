/**
 * Since when an origin may not know that a peer has its changes. While nothing stands in the way between the two, that
 * is since what the peer has now. From the moment on in which something does, nobody knows what still comes through, but
 * what the peer had a while before the origin knows: its RPO may be as old as that, and no older.
 */
export class Confirmed {
  #surelyMs = Number.NEGATIVE_INFINITY;

  sinceMs({ nowMs, beforeMs }: Reached, isWay: boolean): number {
    if (!isWay) return this.#surelyMs;
    this.#surelyMs = Math.max(this.#surelyMs, beforeMs);
    return Math.max(this.#surelyMs, nowMs);
  }
}

/** Moments before which everything is at the peer. */
export interface Reached {
  readonly nowMs: number;
  /** As it was when word of it has surely come back by now. */
  readonly beforeMs: number;
}

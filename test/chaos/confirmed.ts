/**
 * Since when an origin may not know that a peer has its changes. While nothing stands in the way between the two, that
 * is since what the peer has now. From the moment on in which something does, nobody knows what still comes through, but
 * what the origin knew then it knows: its RPO may be as old as that, and no older.
 */
export class Confirmed {
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** `reachedMs`: everything before it is at the peer; `isWay`: and word of that gets back. */
  sinceMs(reachedMs: number, isWay: boolean): number {
    if (isWay) this.#sinceMs = Math.max(this.#sinceMs, reachedMs);
    return this.#sinceMs;
  }
}

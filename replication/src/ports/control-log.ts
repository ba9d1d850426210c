/**
 * The control topic of the region's own log: the claims of its incarnations, in the order in which the log took them,
 * kept for ever (P9). Whoever appends reads it back to learn which claim came first, so order is all that is asked of
 * it. Appending twice is harmless. Everything here rejects with `log-unavailable` (retriable) where the log does not
 * answer, and never waits for it without end.
 */
export interface ControlLog {
  /** Resolves when the log holds it durably. */
  append(bytes: Uint8Array): Promise<void>;
  /**
   * Everything that is held when this is called and counts, oldest first. Nothing else is kept meanwhile: whoever can write
   * there, without a key, can write as much as they like (I12).
   */
  read(counts?: (bytes: Uint8Array) => boolean): Promise<readonly Uint8Array[]>;
  close(): Promise<void>;
}

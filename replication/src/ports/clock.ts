/**
 * The one source of wall-clock time for stamps, lag and RPO: the region's database clock at the last reading plus
 * the monotonic time since (P3). It never goes back by more than a correction of the database clock itself, and
 * it is synchronous, because it is read under a row lock.
 */
export interface Clock {
  /** Milliseconds since 1970 with fractions; throws `ReplicationError` `clock-unknown` before the first reading. */
  nowMs(): number;
}

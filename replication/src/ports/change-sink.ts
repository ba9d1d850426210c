/**
 * The region's own log, to write. A publish resolves only when the log holds every record durably; when it rejects,
 * some, all or none may be held, and sending the same records again is harmless. Order within a partition is the
 * order of the calls, which the caller keeps by having one publish in flight.
 */
export interface OutgoingRecord {
  readonly partition: number;
  readonly bytes: Uint8Array;
}

export interface ChangeSink {
  /**
   * Creates the region's topics where they are absent. Rejects with `partition-count-mismatch` where the changes
   * topic exists with another count, with `log-unavailable` (retriable) where the log does not answer.
   */
  prepare(partitionCount: number): Promise<void>;
  /**
   * Rejects with `log-unavailable` (retriable), also where the topics are gone: who goes on failing prepares them again. With
   * `partition-count-mismatch` where they were made again with another count.
   */
  publish(records: readonly OutgoingRecord[]): Promise<void>;
  /** Appends to the region's progress topic; same promises. */
  publishProgress(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

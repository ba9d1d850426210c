/**
 * The values that travel: record names, changes, beats and commits as the write-ahead log holds them.
 * An LSN here is always the end of a commit record, which is unique and grows from commit to commit within one
 * incarnation (P2). Bytes in these values are never views on a buffer that somebody else will overwrite.
 */
export type Lsn = bigint;

export interface RecordId {
  readonly collection: string;
  readonly key: string;
}

/** What one local commit did to one record: a delta in the conflict library's format. */
export interface Change extends RecordId {
  readonly delta: Uint8Array;
}

/** A beat as its commit emitted it. `lsn` is the insert position read before its xid was assigned. */
export interface Beat {
  readonly number: number;
  readonly lsn: Lsn;
  /** Origin's database clock, milliseconds since 1970, with fractions. */
  readonly atMs: number;
}

/** A beat as the relay published it: with its commit's end and the number of own changes before it. */
export interface CountedBeat extends Beat {
  readonly end: Lsn;
  /** Cumulative own changes before the beat; `null` where the relay could not count them. */
  readonly count: number | null;
}

/** One transaction of ours, decoded. Transactions without a message of ours are not reported. */
export interface Commit {
  readonly end: Lsn;
  readonly changes: readonly Change[];
  readonly beats: readonly Beat[];
}

/** The part of a key that chooses the partition: up to its first `/`, else the whole key (P2). */
export function groupOf(key: string): string {
  const slash = key.indexOf('/');
  return slash === -1 ? key : key.slice(0, slash);
}

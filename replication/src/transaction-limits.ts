/**
 * What one transaction may carry, so that its changes for one partition fit in one log record of 4 MiB (P2). The
 * conflict library bounds what an edit adds to a record; a delete or a clear is as large as what it finds, at most twice
 * the 1 MiB of a state, and has to be possible always. So one change may be larger than the others where it has a
 * transaction of its own.
 */
import { ReplicationError } from './errors.ts';

export const maxTransactionRecords = 500;
export const maxTransactionDeltaBytes = 1024 * 1024;
/** Of a single change that has the transaction for itself. */
export const maxLoneDeltaBytes = 3 * 1024 * 1024;

/** Records that one apply transaction may lock; ten times what a commit that it is made of may write. */
export const maxAppliedRecords = 5_000;

/**
 * Of the stored states that one transaction reads, where it can be made smaller: small changes may be of records of a
 * MiB each, and all of them are in memory and locked until it ends.
 */
export const maxStateBytes = 16 * 1024 * 1024;
/** Of states or deltas in one statement, which has five seconds. */
export const maxStatementBytes = 4 * 1024 * 1024;

/** Throws `transaction-too-large` where the stored states of a transaction take more than it is to read. */
export function requireStates(bytes: number, atMost: number = Infinity): void {
  if (bytes <= atMost) return;
  const detail = `the records of a transaction take ${bytes} bytes, at most ${atMost} are allowed`;
  throw new ReplicationError('transaction-too-large', detail, { retriable: false });
}

/** Whether so many changes of so many bytes together may be one transaction. */
export function fitsTransaction(changes: number, deltaBytes: number): boolean {
  return deltaBytes <= (changes === 1 ? maxLoneDeltaBytes : maxTransactionDeltaBytes);
}

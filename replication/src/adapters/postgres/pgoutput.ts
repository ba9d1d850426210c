/**
 * What a walsender writes into its copy stream, read. The outer frames are WAL data and keepalives; inside the data
 * are the messages of `pgoutput`, protocol version 1, which sends a transaction only once it has committed, whole and
 * uninterrupted. A transaction is handed out when its Commit message arrives, with the end of its commit record as
 * its LSN. Only transactional messages under our own prefixes count; everything else in the stream is passed over.
 * One of ours that cannot be read is an error and never skipped. All bytes handed out are copies: the buffers that
 * arrive here are overwritten by later reads. The transaction under assembly is bounded in bytes.
 */
import { malformed } from '../../bytes.ts';
import { ReplicationError } from '../../errors.ts';
import type { Beat, Change, Commit, Lsn } from '../../ports/change.ts';
import { beatPrefix, changesPrefix, decodeBeat, decodeChanges } from './wal-message.ts';

export type Frame =
  | { readonly kind: 'data'; readonly end: Lsn; readonly message: Buffer }
  | {
      readonly kind: 'keepalive';
      readonly end: Lsn;
      readonly replyRequested: boolean;
    };

/** A decoded transaction of ours and what it weighs in the unread queue. */
export interface SizedCommit {
  readonly commit: Commit;
  readonly sizeBytes: number;
  /** Server's clock as it committed, milliseconds since 1970, with fractions. */
  readonly atMs: number;
}

export const maxTransactionBytes = 64 * 1024 * 1024;

const dataFrame = 'w'.charCodeAt(0);
const dataHeaderBytes = 25;
const keepaliveFrame = 'k'.charCodeAt(0);
const keepaliveBytes = 18;
const statusFrame = 'r'.charCodeAt(0);
const statusBytes = 34;
const commitMessage = 'C'.charCodeAt(0);
const commitBytes = 26;
const logicalMessage = 'M'.charCodeAt(0);
const prefixOffset = 10;
const transactionalFlag = 1;
const recordOverheadBytes = 128;
/** Microseconds between the epochs of Unix and of Postgres. */
const postgresEpochMicros = 946_684_800_000_000n;

/** The message in a data frame is a view that holds only until the callback returns. */
export function readFrame(chunk: Buffer): Frame {
  const kind = chunk[0];
  if (kind === dataFrame && chunk.length >= dataHeaderBytes) {
    const start = chunk.readBigUInt64BE(1);
    const end = chunk.readBigUInt64BE(9);
    const message = chunk.subarray(dataHeaderBytes);
    return { kind: 'data', end: end > start ? end : start, message };
  }
  if (kind === keepaliveFrame && chunk.length === keepaliveBytes) {
    const end = chunk.readBigUInt64BE(1);
    return { kind: 'keepalive', end, replyRequested: chunk[17] === 1 };
  }
  throw malformed(`a replication frame of kind ${kind} and ${chunk.length} bytes`);
}

export interface StandbyStatus {
  /** Everything up to here has arrived. */
  readonly write: Lsn;
  /** Everything up to here is durable elsewhere; 0 confirms nothing. */
  readonly flush: Lsn;
  readonly replyRequested: boolean;
  readonly nowMs: number;
}

export function writeStatus(status: StandbyStatus): Buffer {
  const frame = Buffer.allocUnsafe(statusBytes);
  frame[0] = statusFrame;
  frame.writeBigUInt64BE(status.write, 1);
  frame.writeBigUInt64BE(status.flush, 9);
  frame.writeBigUInt64BE(status.flush, 17);
  const micros = BigInt(Math.trunc(status.nowMs)) * 1000n;
  frame.writeBigInt64BE(micros - postgresEpochMicros, 25);
  frame[33] = status.replyRequested ? 1 : 0;
  return frame;
}

/** Puts the messages of a stream together into commits; one for each stream. */
export class TransactionReader {
  #changes: Change[] = [];
  #beats: Beat[] = [];
  #sizeBytes = 0;

  /** Returns the transaction that the message ends, where that is one of ours. */
  take(message: Buffer): SizedCommit | null {
    const kind = message[0];
    if (kind === logicalMessage) this.#takeMessage(message);
    return kind === commitMessage ? this.#takeCommit(message) : null;
  }

  #takeMessage(message: Buffer): void {
    const prefixEnd = message.indexOf(0, prefixOffset);
    const contentOffset = prefixEnd + 5;
    if (prefixEnd === -1 || message.length < contentOffset)
      throw malformed(`a logical message of ${message.length} bytes is cut short`);
    if (message[1] !== transactionalFlag) return;
    const prefix = message.toString('latin1', prefixOffset, prefixEnd);
    if (prefix !== changesPrefix && prefix !== beatPrefix) return;
    const length = message.readUInt32BE(prefixEnd + 1);
    const content = message.subarray(contentOffset, contentOffset + length);
    if (content.length !== length)
      throw malformed(`a logical message holds ${content.length} of ${length} bytes`);
    this.#count(length + recordOverheadBytes);
    if (prefix === beatPrefix) this.#beats.push(decodeBeat(content.toString('latin1')));
    else this.#addChanges(decodeChanges(content));
  }

  #addChanges(changes: readonly Change[]): void {
    this.#count(changes.length * recordOverheadBytes);
    for (const change of changes) this.#changes.push(change);
  }

  #count(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes <= maxTransactionBytes) return;
    throw new ReplicationError(
      'transaction-too-large',
      `a transaction in the write-ahead log holds over ${maxTransactionBytes} bytes of changes`,
      { retriable: false },
    );
  }

  #takeCommit(message: Buffer): SizedCommit | null {
    if (message.length !== commitBytes) throw malformed(`a Commit message of ${message.length} bytes`);
    const sizeBytes = this.#sizeBytes;
    if (sizeBytes === 0) return null;
    const end = message.readBigUInt64BE(10);
    const atMs = Number(message.readBigInt64BE(18) + postgresEpochMicros) / 1000;
    const commit = { end, changes: this.#changes, beats: this.#beats };
    this.#changes = [];
    this.#beats = [];
    this.#sizeBytes = 0;
    return { commit, sizeBytes, atMs };
  }
}

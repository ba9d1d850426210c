/**
 * The decoded write-ahead log of the own database, in commit order. Holding the stream is holding the replication
 * slot, so there is one relay per region. The source tells Postgres as `write` what it has received and as `flush`
 * only what `confirm` was given (P2): a keepalive's end is never confirmed. What a stream hands out is copied out of
 * the socket's buffers. Unread commits are bounded in bytes by holding back the socket.
 */
import type { Commit, Lsn } from './change.ts';

export interface ChangeStream {
  /** `confirmed_flush_lsn`, read once the slot was held: the first `from` of every partition. */
  readonly start: Lsn;
  /**
   * Waits for at least one commit and returns all that have arrived, at most about 1 MiB of changes.
   * Rejects with `source-lost` once the stream has ended for whatever reason but `close`, with `closed` after it,
   * and with `malformed-record` or `transaction-too-large` where the log holds something of ours that cannot be read:
   * it is never skipped, and the same error comes again on the next stream.
   */
  read(): Promise<readonly Commit[]>;
  /** Everything up to this commit end is durable elsewhere and need not be sent again. Never goes back. */
  confirm(end: Lsn): void;
  close(): Promise<void>;
}

/** The way of a commit to whoever reads the stream; for metrics. */
export interface CommitRead {
  /** Server's clock as it committed, milliseconds since 1970. */
  readonly committedMs: number;
  /** From its arrival here to being handed out. */
  readonly waitedMs: number;
}

export interface ChangeSource {
  /**
   * Rejects with `slot-held` (another relay has it), `slot-lost` (absent or invalidated), `source-lost`, or
   * `database-misconfigured` (no right, no logical decoding).
   */
  open(): Promise<ChangeStream>;
}

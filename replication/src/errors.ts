/**
 * The operating failures of the engine, each with a code, whether trying again can help, and its cause. Expected
 * outcomes are returned values, and bugs are assertions; neither comes through here. Stores of the region's database
 * reject alike, wherever a port says "as the database does": with `database-unavailable` or `overloaded` (both
 * retriable), with `database-misconfigured`, or with `closed` once it was closed. A write that checks whether the
 * server continues the region's past also rejects with `identity-mismatch`. A write that was rejected may have been
 * done, unless its port says more.
 */
export type ReplicationErrorCode =
  | 'clock-unknown'
  | 'closed'
  | 'database-unavailable'
  | 'database-misconfigured'
  | 'identity-mismatch'
  | 'log-unavailable'
  | 'malformed-record'
  | 'newer-format'
  | 'outcome-unknown'
  | 'overloaded'
  | 'partition-count-mismatch'
  | 'peer-retired'
  | 'peer-unavailable'
  | 'session-too-large'
  | 'slot-held'
  | 'slot-lost'
  | 'source-lost'
  | 'transaction-too-large';

export class ReplicationError extends Error {
  readonly code: ReplicationErrorCode;
  /** The same call may succeed later without anybody's help. */
  readonly retriable: boolean;

  constructor(code: ReplicationErrorCode, message: string, options: { retriable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ReplicationError';
    this.code = code;
    this.retriable = options.retriable;
  }
}

/** What must hold whatever the world does; a failure is a bug of ours, and the process must not go on. */
export class AssertionFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionFailure';
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

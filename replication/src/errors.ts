/**
 * The operating failures of the engine, each with a code, whether trying again can help, and its cause. Expected
 * outcomes are returned values, and bugs are assertions; neither comes through here.
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

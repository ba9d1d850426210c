/**
 * The failures that a load test can meet, each with a code. `wrong-usage` is the caller's, `unexpected-answer` says that
 * something under test answered what it must not under this load, `not-in-time` that it did not come to an end. Bugs of
 * the load test itself are assertions and never raised through this class.
 */
export type LoadErrorCode =
  | 'wrong-usage'
  | 'unexpected-answer'
  | 'not-in-time'
  | 'connection-lost'
  | 'child-failed';

export class LoadError extends Error {
  readonly code: LoadErrorCode;

  constructor(code: LoadErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'LoadError';
    this.code = code;
  }
}

/**
 * The failures that starting real servers can meet, each with a code that a caller can test and a
 * remedy that a person can follow. A message says what went wrong; `remedy` says what to do about it.
 * `retriable` tells whether the same call may succeed later without anybody mending anything.
 * Bugs are not raised through this class.
 */

export type LocalErrorCode =
  | 'address-invalid'
  | 'cache-unwritable'
  | 'command-failed'
  | 'disk-full'
  | 'folder-unreachable'
  | 'jar-mismatch'
  | 'java-missing'
  | 'java-too-old'
  | 'jars-unavailable'
  | 'maven-missing'
  | 'platform-unsupported'
  | 'port-in-use'
  | 'server-failed'
  | 'server-not-ready'
  | 'server-not-running'
  | 'server-not-ours'
  | 'user-not-creatable';

export interface LocalErrorDetail {
  readonly remedy: string;
  readonly cause?: unknown;
  readonly retriable?: boolean;
}

export class LocalError extends Error {
  readonly code: LocalErrorCode;
  readonly remedy: string;
  readonly retriable: boolean;

  constructor(code: LocalErrorCode, message: string, detail: LocalErrorDetail) {
    super(message, { cause: detail.cause });
    this.name = 'LocalError';
    this.code = code;
    this.remedy = detail.remedy;
    this.retriable = detail.retriable ?? false;
  }
}

/** The operating system's code of a failed call (`ENOENT`, `EADDRINUSE`), or undefined where it has none. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * A refusal on its way to the caller, as RFC 9457 describes it. What stands in `detail` and `violations` is read by
 * strangers: it names the caller's own input and our limits, and never SQL, paths, stack traces or secrets. Whoever
 * meets a bad request throws a `Problem`; the listener's error handler is the only place that writes one.
 */
import type { ReplicationError, ReplicationErrorCode } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import { type ProblemCode, problemKind } from './problem-codes.ts';
import type { Holder } from './records/rights.ts';

export interface Violation {
  /** Path of the member at fault; in a batch it starts with `writes[i]`. */
  readonly field: string;
  readonly rule: string;
  readonly limit: unknown;
  readonly value: unknown;
}

/** Rights of a bounded counter that a region holds, and that the request takes. */
interface Rights {
  readonly have: number;
  readonly need: number;
  /** Who else holds some. */
  readonly elsewhere?: readonly (Holder & { readonly stranded: boolean })[];
}

interface ProblemOptions {
  readonly violations?: readonly Violation[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly rights?: Rights | undefined;
  /** Who holds rights of the counter that a spending was refused at. */
  readonly holders?: readonly Holder[];
  /** The record that the problem is about, where only we know which. */
  readonly record?: RecordId;
  readonly cause?: unknown;
}

interface ProblemBody extends Partial<Rights> {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly instance: string;
  readonly violations: readonly Violation[];
  readonly record?: RecordId;
}

export const problemMediaType = 'application/problem+json; charset=utf-8';

export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly violations: readonly Violation[];
  readonly headers: Readonly<Record<string, string>>;
  readonly rights: Rights | undefined;
  readonly holders: readonly Holder[];
  /** Private, because what is logged of an error are its public members, and a key may name a person. */
  readonly #record: RecordId | undefined;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = problemKind(code).status;
    this.violations = options.violations ?? [];
    this.rights = options.rights;
    this.holders = options.holders ?? [];
    this.#record = options.record;
    this.headers = {
      ...(this.status === 503 ? { 'retry-after': '1' } : {}),
      ...options.headers,
    };
  }

  get record(): RecordId | undefined {
    return this.#record;
  }
}

export function problemBody(problem: Problem, instance: string): ProblemBody {
  return {
    type: `/problems/${problem.code}`,
    title: problemKind(problem.code).title,
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    instance,
    violations: problem.violations,
    ...problem.rights,
    ...(problem.record === undefined ? {} : { record: problem.record }),
  };
}

type FailureText = readonly [ProblemCode, string];

const databaseDown: FailureText = [
  'database-unavailable',
  'The database of this region does not serve now; nothing was written.',
];
const failed: FailureText = ['internal', 'The region failed to answer.'];

/** What a caller may know of each operating failure of the engine. */
const failureTexts: Readonly<Record<ReplicationErrorCode, FailureText>> = {
  'outcome-unknown': [
    'outcome-unknown',
    'The commit was sent and no answer came: the write may or may not have happened.',
  ],
  overloaded: ['overloaded', 'Too many writes wait, or this one waited too long; nothing was written.'],
  closed: ['draining', 'This process is being stopped; nothing was written.'],
  'transaction-too-large': [
    'body-too-large',
    'The changes of this request are together larger than one transaction may be, or its writes take more than 64 MiB of records, counted for each write; nothing was written.',
  ],
  'database-unavailable': databaseDown,
  'database-misconfigured': databaseDown,
  'identity-mismatch': databaseDown,
  'clock-unknown': databaseDown,
  'log-unavailable': failed,
  'malformed-record': failed,
  'newer-format': ['newer-format', 'A stored record needs a newer version of Isthmus than this one.'],
  'partition-count-mismatch': failed,
  'peer-retired': failed,
  'peer-unavailable': failed,
  'session-too-large': ['internal', 'There are more regions than a session can name.'],
  'slot-held': failed,
  'slot-lost': failed,
  'source-lost': failed,
};

export function problemOfFailure(error: ReplicationError): Problem {
  const [code, detail] = failureTexts[error.code];
  return new Problem(code, detail, { cause: error });
}

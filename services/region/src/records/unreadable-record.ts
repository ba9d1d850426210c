/**
 * A record that this version of Isthmus stores, merges and hands on, and cannot show: a newer version wrote something
 * into it, as peers do while regions are upgraded one after the other. Nothing of it is shown then, because half a
 * record would look like the whole. What can be told without understanding it is told: which format it needs, and its
 * version, which is a hash of the entries as they lie.
 */
import { ConflictError, inspect, version } from '@isthmus/conflict';
import { ReplicationError } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import { Problem } from '../problem.ts';

/** As `1.0`; the empty state has the format of whoever makes it. */
const supportedFormat = inspect(new Uint8Array(0)).format;

export class UnreadableRecord {
  /** What the bytes need, as `1.1`. */
  readonly format: string;
  /** As of a record that can be shown; `null` where not even the layout is known. */
  readonly version: string | null;

  constructor(state: Uint8Array) {
    this.format = formatOf(state);
    this.version = versionOf(state);
  }
}

/** Stands in a page, or in an answer to a write, where the record would stand. */
export interface UnreadableAnswer extends RecordId {
  readonly version: string | null;
  readonly unreadable: {
    readonly code: 'newer-format';
    readonly format: string;
    readonly supported: string;
  };
}

export function unreadableAnswer(
  { collection, key }: RecordId,
  record: Pick<UnreadableRecord, 'format' | 'version'>,
): UnreadableAnswer {
  const { format } = record;
  return {
    collection,
    key,
    version: record.version,
    unreadable: { code: 'newer-format', format, supported: supportedFormat },
  };
}

/**
 * Whether the library refused the state for being newer. In bytes of a newer format it cannot tell what it does not
 * know from what is damaged.
 */
export function isTooNew({ code }: ConflictError, state: Uint8Array): boolean {
  if (code === 'newer-format') return true;
  return code === 'malformed' && isNewer(formatOf(state));
}

/** The refusal of what needs to understand the record; nothing was written. */
export function tooNewProblem({ format }: Pick<UnreadableRecord, 'format'>, record?: RecordId): Problem {
  const detail = `The record needs format ${format} and this version of Isthmus knows ${supportedFormat}: it is stored and merged here, and cannot be shown.`;
  const violations = [{ field: '', rule: 'format', limit: supportedFormat, value: format }];
  return new Problem('newer-format', detail, {
    violations,
    ...(record === undefined ? {} : { record }),
  });
}

/** A refusal made where nobody knows the record's name, with it. */
export function withRecord(problem: Problem, record: RecordId): Problem {
  if (problem.code !== 'newer-format') return problem;
  const { violations, headers, cause } = problem;
  return new Problem(problem.code, problem.message, { violations, headers, record, cause });
}

/** The same where no answer is under way. */
export function tooNewFailure(state: Uint8Array, cause: ConflictError): ReplicationError {
  const message = `a stored state needs format ${formatOf(state)}; this version knows ${supportedFormat}`;
  return new ReplicationError('newer-format', message, { retriable: false, cause });
}

/** The first byte of every version of the format says which it is (conflict/FORMAT.md, "Layout"). */
export function formatOf(state: Uint8Array): string {
  const [first = 0] = state;
  return `${first >> 4}.${first & 0xf}`;
}

function versionOf(state: Uint8Array): string | null {
  try {
    return version(state);
  } catch (error) {
    if (error instanceof ConflictError) return null;
    throw error;
  }
}

/** Both parts take one hexadecimal digit in the byte. */
function isNewer(format: string): boolean {
  const ordered = (text: string) => text.split('.').reduce((sum, part) => sum * 16 + Number(part), 0);
  return ordered(format) > ordered(supportedFormat);
}

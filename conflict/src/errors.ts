/**
 * Everything that can go wrong for a caller of this package is one class with a code, so that a service can turn it
 * into an answer without reading prose. The details name the field, the rule that was broken, the limit and the value
 * that broke it; the value is a short description that always survives `JSON.stringify`. A broken assertion is a bug
 * of this package and has a class of its own; callers must never catch it in order to go on.
 */
export type ConflictCode =
  | 'below-horizon'
  | 'checksum-mismatch'
  | 'counter-out-of-range'
  | 'insufficient-rights'
  | 'invalid-argument'
  | 'invalid-schema'
  | 'invalid-value'
  | 'malformed'
  | 'newer-format'
  | 'text-engine-missing'
  | 'too-deep'
  | 'too-large'
  | 'unknown-field'
  | 'wrong-operation';

export type Described = string | number | boolean | null;

export interface ConflictDetails {
  /** Path of the field, as `field.member`; empty where the whole record, its bytes or the call is meant. */
  readonly field?: string;
  /** The rule that was broken, in a word or two that a program can compare. */
  readonly rule: string;
  readonly limit?: number | string;
  /** Anything; the error keeps a description of it. */
  readonly value?: unknown;
  /** Rights that the actor holds and that the operation takes, for `insufficient-rights`. */
  readonly have?: number;
  readonly need?: number;
  readonly cause?: unknown;
}

export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly code: ConflictCode;
  readonly field: string;
  readonly rule: string;
  readonly limit: number | string | null;
  readonly value: Described;
  readonly have: number | null;
  readonly need: number | null;

  constructor(code: ConflictCode, message: string, details: ConflictDetails) {
    const { field = '', rule, limit = null, value = null, have = null, need = null } = details;
    super(field === '' ? message : `${field}: ${message}`, { cause: details.cause });
    this.code = code;
    this.field = field;
    this.rule = rule;
    this.limit = limit;
    this.value = describe(value);
    this.have = have;
    this.need = need;
  }
}

const longestDescription = 80;

/** A short form of any value, without running code of the value's own. */
function describe(value: unknown): Described {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') {
    return value.length > longestDescription ? `${value.slice(0, longestDescription)}…` : value;
  }
  if (isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a value of type ${typeof value}`;
}

/** A proxy that was revoked throws at any question. */
function isArray(value: unknown): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Bytes that do not follow the format. `rule` names the part that is wrong. */
export function malformed(rule: string): ConflictError {
  return new ConflictError('malformed', `the bytes are malformed: ${rule}`, { rule });
}

export class AssertionFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionFailure';
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/**
 * Everything this package refuses, it refuses with a ConflictError: a code to branch on, the field, the rule
 * that was broken, the limit and the offending value. The value is a short description that always survives
 * JSON.stringify, so that a service can put it into an answer or a log line as it is.
 */
export type ConflictCode =
  | 'unknown-field'
  | 'invalid-value'
  | 'wrong-operation'
  | 'counter-out-of-range'
  | 'too-large'
  | 'too-deep'
  | 'malformed';

export type Described = string | number | boolean | null;

export interface ConflictDetail {
  /** Path of the field; empty where the whole record or its bytes are meant. */
  readonly field?: string;
  readonly rule: string;
  readonly limit?: number | string;
  readonly value?: Described;
}

export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly code: ConflictCode;
  readonly field: string;
  readonly rule: string;
  readonly limit: number | string | null;
  readonly value: Described;

  constructor(code: ConflictCode, detail: ConflictDetail) {
    super(sentence(code, detail));
    this.code = code;
    this.field = detail.field ?? '';
    this.rule = detail.rule;
    this.limit = detail.limit ?? null;
    this.value = detail.value ?? null;
  }
}

export function malformed(rule: string, value: Described = null): ConflictError {
  return new ConflictError('malformed', { rule, value });
}

const maxDescribedLength = 80;

/** A short text for any value, without running code of the value's own. */
export function describe(value: unknown): Described {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : numberName(value);
  if (typeof value === 'string') {
    return value.length > maxDescribedLength ? `${value.slice(0, maxDescribedLength)}…` : value;
  }
  if (typeof value === 'bigint') return 'a bigint';
  if (typeof value === 'object')
    return Array.isArray(value) ? 'an array' : Object.prototype.toString.call(value);
  return typeof value;
}

function numberName(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function sentence(code: ConflictCode, detail: ConflictDetail): string {
  const field = detail.field === undefined || detail.field === '' ? '' : ` in ${detail.field}`;
  const limit = detail.limit === undefined ? '' : `; limit ${detail.limit}`;
  const value = detail.value === undefined || detail.value === null ? '' : `; got ${String(detail.value)}`;
  return `${code}${field}: ${detail.rule}${limit}${value}`;
}

/**
 * Everything that can go wrong for a caller of this package is one class with a code, so that a service can turn it
 * into an answer without reading prose. The details name the field, the rule that was broken, the limit and the value
 * that broke it; the value is a short description that always survives `JSON.stringify`. A broken assertion is a bug
 * of this package and has a class of its own; callers must never catch it in order to go on.
 */
/** What went wrong; the table in README.md says what to do about each. */
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

/** A short form of any value: texts are cut after 80 characters, objects and arrays are only named. */
export type Described = string | number | boolean | null;

/** What a `ConflictError` is made of. */
export interface ConflictDetails {
  /** Path of the field, as `field.member`; empty where the whole record, its bytes or the call is meant. */
  readonly field?: string;
  /** The rule that was broken, in a word or two that a program can compare. */
  readonly rule: string;
  /** The limit that was passed, in the unit that `rule` names. */
  readonly limit?: number | string;
  /** Anything; the error keeps a description of it. */
  readonly value?: unknown;
  /** Rights that the actor holds, for `insufficient-rights`. */
  readonly have?: number;
  /** Rights that the operation takes, for `insufficient-rights`. */
  readonly need?: number;
  /** The failure behind this one, if there is one. */
  readonly cause?: unknown;
}

/** Every failure that a caller can cause. The message is for people, the other members are for programs. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  /** What went wrong. */
  declare readonly code: ConflictCode;
  /** Path of the field, as `field.member`; empty where the whole record, its bytes or the call is meant. */
  declare readonly field: string;
  /** The rule that was broken, in a word or two that a program can compare. */
  declare readonly rule: string;
  /** The limit that was passed, in the unit that `rule` names; `null` where there is none. */
  declare readonly limit: number | string | null;
  /** A short form of the value that broke the rule. */
  declare readonly value: Described;
  /** Rights that the actor holds, for `insufficient-rights`; else `null`. */
  declare readonly have: number | null;
  /** Rights that the operation takes, for `insufficient-rights`; else `null`. */
  declare readonly need: number | null;

  /** For engines of texts and the like; the field is put in front of the message. */
  constructor(code: ConflictCode, message: string, details: ConflictDetails) {
    const { field = '', rule, limit = null, have = null, need = null, cause } = details;
    super(field === '' ? message : `${field}: ${message}`, { cause });
    const value = 'value' in details ? describe(details.value) : null;
    Object.assign(this, { code, field, rule, limit, value, have, need });
  }
}

/** A failure whose message is made of its parts, as `likes: invalid-value (integer), value 0.5`. */
export function refusal(code: ConflictCode, details: ConflictDetails): ConflictError {
  let message = `${code} (${details.rule})`;
  if ('limit' in details) message += `, limit ${details.limit}`;
  if ('value' in details) message += `, value ${describe(details.value)}`;
  return new ConflictError(code, message, details);
}

/** Throws where a rule is broken. */
export function check(isKept: boolean, code: ConflictCode, details: ConflictDetails): asserts isKept {
  if (!isKept) throw refusal(code, details);
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
  return refusal('malformed', { rule });
}

/** Throws `malformed` where bytes break a rule of the format. */
export function checkForm(isKept: boolean, rule: string): asserts isKept {
  if (!isKept) throw malformed(rule);
}

/** Something happened that cannot happen: a defect of this package, never of its input. */
export class AssertionFailure extends Error {
  /** Takes what was expected, in words. */
  constructor(message: string) {
    super(message);
    this.name = 'AssertionFailure';
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

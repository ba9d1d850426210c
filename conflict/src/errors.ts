/**
 * Everything that can go wrong for a caller of this package is one class with a code, so that a service can turn it
 * into an answer without reading prose. The details name the field, the rule that was broken, the limit and the value
 * that broke it; the value is a short description that always survives `JSON.stringify`. A broken assertion is a bug
 * of this package and has a class of its own; callers must never catch it in order to go on.
 */
import { type Described, describe } from './described.ts';

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
    super(details.field ? `${details.field}: ${message}` : message, details);
    const value = 'value' in details ? describe(details.value) : null;
    Object.assign(this, { code, field: '', limit: null, have: null, need: null, ...details, value });
  }
}

/** Something happened that cannot happen: a defect of this package, never of its input. */
export class AssertionFailure extends Error {
  /** Takes what was expected, in words. */
  constructor(message: string) {
    super(message);
    this.name = 'AssertionFailure';
  }
}

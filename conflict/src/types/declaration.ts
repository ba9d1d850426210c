/**
 * Declarations of fields. They are plain JSON, so that a service can read them from a file; they are needed to edit
 * and to read a record, never to merge it. A field's type never changes once data exists.
 */
import { ConflictError } from '../errors.ts';

export interface RegisterDeclaration {
  readonly type: 'register';
  /** `siblings`: concurrent values are shown beside the latest one. Either way all are kept. */
  readonly resolve?: 'last-writer' | 'siblings';
}

export interface CounterDeclaration {
  readonly type: 'counter';
}

export type FieldDeclaration = RegisterDeclaration | CounterDeclaration;
export type Fields = Readonly<Record<string, FieldDeclaration>>;

export function register(options: Omit<RegisterDeclaration, 'type'> = {}): RegisterDeclaration {
  return { type: 'register', ...options };
}

export function counter(): CounterDeclaration {
  return { type: 'counter' };
}

const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;

export function checkFields(fields: Fields): ReadonlyMap<string, FieldDeclaration> {
  for (const name of Object.keys(fields)) {
    if (namePattern.test(name)) continue;
    throw new ConflictError('invalid-value', {
      field: name,
      rule: 'a name of 1 to 128 letters, digits and _',
      value: name,
    });
  }
  return new Map(Object.entries(fields));
}

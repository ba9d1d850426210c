/**
 * What a collection declares about its fields: plain JSON, so that declarations can be stored and sent. They are
 * needed to edit and to read; merging never asks for them. A field's type is for ever, its policies may change.
 */
import { ConflictError, describe } from '../errors.ts';

export interface RegisterDeclaration {
  readonly type: 'register';
  /** The last writer is always the value; `siblings` also shows what was written concurrently. */
  readonly resolve?: 'last-writer' | 'siblings';
}

export interface CounterDeclaration {
  readonly type: 'counter';
}

export type FieldDeclaration = RegisterDeclaration | CounterDeclaration;
export type FieldDeclarations = Readonly<Record<string, FieldDeclaration>>;

export interface SchemaOptions {
  /** Default `add-wins`. */
  readonly deletes?: 'add-wins' | 'last-writer-wins';
}

export function register(
  options: { readonly resolve?: 'last-writer' | 'siblings' } = {},
): RegisterDeclaration {
  return options.resolve === undefined
    ? { type: 'register' }
    : { type: 'register', resolve: options.resolve };
}

export function counter(): CounterDeclaration {
  return { type: 'counter' };
}

const fieldName = /^[A-Za-z][A-Za-z0-9_]{0,127}$/;
const resolvers = new Set<string | undefined>([undefined, 'last-writer', 'siblings']);

/** Declarations may come from a file or over the network, so their shape is checked, not trusted. */
export function checkDeclarations(fields: FieldDeclarations, options: SchemaOptions): void {
  const deletes: string = options.deletes ?? 'add-wins';
  if (deletes !== 'add-wins' && deletes !== 'last-writer-wins') throw refuse('', 'deletes', deletes);
  for (const [name, declaration] of Object.entries(fields)) {
    if (!fieldName.test(name)) throw refuse(name, 'field name', name);
    const type: unknown = typeof declaration === 'object' ? declaration?.type : declaration;
    if (type !== 'register' && type !== 'counter') throw refuse(name, 'field type', type);
    if (declaration.type === 'register' && !resolvers.has(declaration.resolve)) {
      throw refuse(name, 'resolve', declaration.resolve);
    }
  }
}

function refuse(field: string, rule: string, value: unknown): ConflictError {
  return new ConflictError('invalid-value', { field, rule, value: describe(value) });
}

/**
 * One edit of one field, checked against the collection's declaration before it comes near a record: the field exists,
 * its type takes the operation, and the operand has the right form. What only the stored record can tell (a counter
 * at its limit) is found when the edit is made.
 */
import type { FieldDeclaration } from '../declarations.ts';
import { nearest } from '../nearest.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem, type Violation } from '../problem.ts';

export type FieldEdit =
  | { readonly op: 'set'; readonly field: string; readonly value: unknown }
  | { readonly op: 'clear'; readonly field: string }
  | { readonly op: 'increment'; readonly field: string; readonly by: number };

export type Fields = ReadonlyMap<string, FieldDeclaration>;

export interface Fault {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly violation: Violation;
}

/** Operations of a PATCH in the order in which they are read. */
export const operations = [
  'set',
  'clear',
  'increment',
  'add',
  'remove',
  'spend',
  'refill',
  'moveRights',
  'splice',
] as const;
export type Operation = (typeof operations)[number];

const taken: Readonly<Record<FieldDeclaration['type'], readonly Operation[]>> = {
  register: ['set', 'clear'],
  counter: ['increment', 'clear'],
};

/** The fault of applying an operation to a field of that name, or its declaration. */
export function findField(
  fields: Fields,
  name: string,
  at: { readonly op: Operation; readonly path: string },
): FieldDeclaration | Fault {
  const field = fields.get(name);
  if (field === undefined) return unknownField(fields, name, at.path);
  const allowed = taken[field.type];
  if (allowed.includes(at.op)) return field;
  return {
    code: 'wrong-operation',
    detail: `${name} is a ${field.type} and takes ${allowed.join(' and ')}, not ${at.op}.`,
    violation: { field: at.path, rule: 'operation', limit: allowed, value: at.op },
  };
}

export function unknownField(fields: Fields, name: string, path: string): Fault {
  const near = nearest(name, fields.keys());
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  return {
    code: 'unknown-field',
    detail: `The collection has no field ${JSON.stringify(name.slice(0, 64))}.${hint}`,
    violation: { field: path, rule: 'declared', limit: null, value: null },
  };
}

/** One problem for all faults: the first gives code and detail, all of that code are listed. */
export function problemOfFaults(faults: readonly Fault[]): Problem | null {
  const first = faults[0];
  if (first === undefined) return null;
  const same = faults.filter((fault) => fault.code === first.code);
  return new Problem(first.code, first.detail, { violations: same.map((fault) => fault.violation) });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function expectObject(value: unknown, path: string): object {
  if (isObject(value)) return value;
  throw invalid(path, { rule: 'object', limit: null, value: nameOfKind(value), what: 'takes an object' });
}

/** A value of the request that is not what its place takes. */
export function invalid(
  path: string,
  fault: { rule: string; limit: unknown; value: unknown; what: string },
): Problem {
  const { rule, limit, value, what } = fault;
  const detail = `${path === '' ? 'The body' : path} ${what}.`;
  return new Problem('invalid-value', detail, { violations: [{ field: path, rule, limit, value }] });
}

/** Names the JSON type of a value, for messages that must not repeat a large value. */
export function nameOfKind(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Throws where the body has a member that the request does not take. */
export function refuseOtherMembers(body: object, known: readonly string[], path: string): void {
  for (const name of Object.keys(body)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === null ? `; it takes ${known.join(', ')}` : `; did you mean ${near}?`;
    const at = joinPath(path, name);
    throw invalid(at, {
      rule: 'known-member',
      limit: known,
      value: null,
      what: `is not a member of this request${hint}`,
    });
  }
}

export function joinPath(path: string, name: string): string {
  const short = name.slice(0, 64);
  return path === '' ? short : `${path}.${short}`;
}

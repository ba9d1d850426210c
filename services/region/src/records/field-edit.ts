/**
 * One edit of one field, checked against the collection's declaration before it comes near a record: the field exists,
 * its type takes the operation, and the operand has the right form. What only the stored record can tell (a counter
 * at its limit) is found when the edit is made.
 */
import type { Actor } from '@isthmus/replication/ports/identity';
import type { FieldDeclaration } from '../field-declarations.ts';
import { nearest } from '../nearest.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem, type Violation } from '../problem.ts';

/** An operation with what it was given, in the form that it takes. */
export type OperationEdit =
  | { readonly op: 'set'; readonly value: unknown }
  | { readonly op: 'clear' }
  | { readonly op: 'increment' | 'spend' | 'refill'; readonly by: number }
  | { readonly op: 'add' | 'remove'; readonly elements: readonly (string | number | boolean)[] }
  | { readonly op: 'moveRights'; readonly to: Actor; readonly amount: number }
  | { readonly op: 'splice'; readonly splices: readonly TextSplice[] };

interface TextSplice {
  readonly at: number;
  readonly delete: number;
  readonly insert: string;
}

export type FieldEdit = OperationEdit & {
  readonly names: readonly string[];
  /** Where in the request the edit stands. */
  readonly at: string;
};

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
  'bounded-counter': ['spend', 'refill', 'moveRights', 'clear'],
  set: ['add', 'remove', 'clear'],
  map: ['clear'],
  text: ['splice', 'clear'],
};

/** The fault of an operation that a type does not take; `null` where it does. */
export function wrongOperation(
  op: Operation,
  { type }: FieldDeclaration,
  { path, at }: { readonly path: string; readonly at: string },
): Fault | null {
  const allowed = taken[type];
  if (allowed.includes(op)) return null;
  const members = type === 'map' ? `; its members are named as ${path}.member` : '';
  return {
    code: 'wrong-operation',
    detail: `${path} is a ${type} and takes ${allowed.join(', ')}, not ${op}${members}.`,
    violation: { field: at, rule: 'operation', limit: allowed, value: op },
  };
}

/**
 * As many are told of one request. Each is looked up among the declared names and answered in words of ours, so a small
 * request with a fault in every word would keep everybody waiting, for an answer many times its size.
 */
export const maxFaults = 50;

/** What is made of each, as far as the fault that is the last one told. */
export function untilFaulty<T, R extends object>(
  items: readonly T[],
  make: (item: T) => R | Fault,
): readonly (R | Fault)[] {
  const made: (R | Fault)[] = [];
  let faults = 0;
  for (const item of items) {
    const each = make(item);
    made.push(each);
    if ('code' in each && ++faults === maxFaults) break;
  }
  return made;
}

/** One problem for all faults: the first gives code and detail, those of that code are listed. */
export function problemOfFaults(faults: readonly Fault[]): Problem | null {
  const first = faults[0];
  if (first === undefined) return null;
  const same = faults.slice(0, maxFaults).filter((fault) => fault.code === first.code);
  return new Problem(first.code, first.detail, { violations: same.map((fault) => fault.violation) });
}

export function isObject(value: unknown): value is object {
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

const longestShownName = 256;

export function joinPath(path: string, name: string): string {
  const short = name.slice(0, longestShownName);
  return path === '' ? short : `${path}.${short}`;
}

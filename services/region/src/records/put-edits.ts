/**
 * The value of a PUT as edits: only what differs from what the region holds is written, so that writing back what was
 * read creates no conflict with a region that changed another field. A counter keeps its value, because setting one
 * would undo increments that this region has not seen.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../problem.ts';
import {
  type Fault,
  type FieldEdit,
  type Fields,
  expectObject,
  joinPath,
  problemOfFaults,
  unknownField,
} from './field-edit.ts';

/** The named fields of a PUT; throws `invalid-value` or `unknown-field`. */
export function parsePutValue(value: unknown, fields: Fields, path: string): ReadonlyMap<string, unknown> {
  const named = new Map(Object.entries(expectObject(value, path)));
  const faults = [...named.keys()]
    .filter((name) => !fields.has(name))
    .map((name) => unknownField(fields, name, joinPath(path, name)));
  const problem = problemOfFaults(faults);
  if (problem !== null) throw problem;
  return named;
}

interface PutOptions {
  readonly fields: Fields;
  /** Live fields as the region shows them; empty where the record does not exist. */
  readonly held: ReadonlyMap<string, unknown>;
  readonly path: string;
}

/** Edits that make the record `named`, or the refusal where a counter would have to be set. */
export function putEdits(
  named: ReadonlyMap<string, unknown>,
  { fields, held, path }: PutOptions,
): readonly FieldEdit[] | Problem {
  const edits: FieldEdit[] = [];
  const faults: Fault[] = [];
  for (const [field, { type }] of fields) {
    const value = named.get(field);
    if (type === 'counter') {
      const count = held.get(field) ?? 0;
      if (named.has(field) && value !== count) faults.push(counterSet(joinPath(path, field), count, value));
    } else if (!named.has(field)) {
      if (held.has(field)) edits.push({ op: 'clear', field });
    } else if (!held.has(field) || !isDeepStrictEqual(held.get(field), value)) {
      edits.push({ op: 'set', field, value });
    }
  }
  return problemOfFaults(faults) ?? edits;
}

function counterSet(path: string, held: unknown, sent: unknown): Fault {
  return {
    code: 'wrong-operation',
    detail: `${path} is a counter and is not set: leave it out, name the value held (${String(held)}), or PATCH with increment.`,
    violation: { field: path, rule: 'counter-keeps-value', limit: held, value: shortOf(sent) },
  };
}

/** Numbers as they are; of anything else only what it is, because it may be long. */
function shortOf(sent: unknown): unknown {
  return typeof sent === 'number' ? sent : typeof sent;
}

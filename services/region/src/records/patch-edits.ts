/**
 * The body of a PATCH as edits of fields. All faults are found before anything is tried, and a path that occurs twice
 * in one request is refused, because the order between its two edits would be anybody's guess.
 */
import {
  type Fault,
  type FieldEdit,
  type Fields,
  type Operation,
  expectObject,
  findField,
  invalid,
  joinPath,
  nameOfKind,
  operations,
  problemOfFaults,
  refuseOtherMembers,
} from './field-edit.ts';

interface Operand {
  readonly op: Operation;
  readonly field: string;
  readonly value: unknown;
  readonly path: string;
}

/** Throws `Problem`: `invalid-value`, `unknown-field` or `wrong-operation`. `body` may have `others` besides. */
export function parsePatch(
  body: unknown,
  fields: Fields,
  at: { readonly path: string; readonly others: readonly string[] },
): readonly FieldEdit[] {
  const object = expectObject(body, at.path);
  refuseOtherMembers(object, [...at.others, ...operations], at.path);
  const operands = Object.entries(object).flatMap(([name, value]) => {
    const op = operations.find((known) => known === name);
    return op === undefined ? [] : operandsOf(op, value, joinPath(at.path, name));
  });
  const faults: Fault[] = [];
  const edits: FieldEdit[] = [];
  const seen = new Set<string>();
  for (const operand of operands) {
    const edit = seen.has(operand.field) ? twice(operand) : editOf(operand, fields);
    seen.add(operand.field);
    if ('code' in edit) faults.push(edit);
    else edits.push(edit);
  }
  const problem = problemOfFaults(faults);
  if (problem !== null) throw problem;
  return edits;
}

function operandsOf(op: Operation, value: unknown, path: string): readonly Operand[] {
  if (op !== 'clear') {
    const entries = Object.entries(expectObject(value, path));
    return entries.map(([field, operand]) => ({ op, field, value: operand, path: joinPath(path, field) }));
  }
  if (!Array.isArray(value)) throw notNames(path, nameOfKind(value));
  return value.map((field: unknown, index) => {
    if (typeof field !== 'string') throw notNames(`${path}[${index}]`, nameOfKind(field));
    return { op, field, value: undefined, path: `${path}[${index}]` };
  });
}

function notNames(path: string, value: string) {
  return invalid(path, { rule: 'field-names', limit: null, value, what: 'takes an array of field names' });
}

function editOf(operand: Operand, fields: Fields): FieldEdit | Fault {
  const { op, field, value, path } = operand;
  const declared = findField(fields, field, { op, path });
  if ('code' in declared) return declared;
  if (op === 'clear') return { op, field };
  if (op === 'set') return { op, field, value };
  return incrementOf(operand);
}

function incrementOf({ field, value, path }: Operand): FieldEdit | Fault {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return { op: 'increment', field, by: value };
  const shown = typeof value === 'number' ? value : nameOfKind(value);
  return {
    code: 'invalid-value',
    detail: `${path} takes a whole number within ±${Number.MAX_SAFE_INTEGER}.`,
    violation: { field: path, rule: 'safe-integer', limit: Number.MAX_SAFE_INTEGER, value: shown },
  };
}

function twice({ field, path }: Operand): Fault {
  return {
    code: 'invalid-value',
    detail: `The field ${JSON.stringify(field.slice(0, 64))} occurs twice in one request.`,
    violation: { field: path, rule: 'once', limit: 1, value: 2 },
  };
}

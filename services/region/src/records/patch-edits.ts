/**
 * The body of a PATCH as edits of fields. Faults are found before anything is tried. A path that occurs twice in
 * one request is refused, and so is one that lies within another, because the order between the two edits would be
 * anybody's guess.
 */
import { pathOf } from '@isthmus/conflict';
import type { FieldDeclarations } from '../field-declarations.ts';
import {
  type Fault,
  type FieldEdit,
  type Operation,
  expectObject,
  invalid,
  joinPath,
  nameOfKind,
  operations,
  problemOfFaults,
  refuseOtherMembers,
  untilFaulty,
  wrongOperation,
} from './field-edit.ts';
import { type FoundField, findField, shortPath } from './field-path.ts';
import { type Operand, type OperandGround, readOperand } from './operands.ts';

export interface PatchPlace extends OperandGround {
  /** Where in the request the patch stands. */
  readonly path: string;
  /** Members that it may have besides. */
  readonly others: readonly string[];
}

/** Throws `Problem`: `invalid-value`, `unknown-field`, `wrong-operation` or `peer-not-heard`. */
export function parsePatch(
  body: unknown,
  fields: FieldDeclarations,
  { path, others, ...ground }: PatchPlace,
): readonly FieldEdit[] {
  const object = expectObject(body, path);
  refuseOtherMembers(object, [...others, ...operations], path);
  const operands = Object.entries(object).flatMap(([name, value]) => {
    const op = operations.find((known) => known === name);
    return op === undefined ? [] : operandsOf(op, value, joinPath(path, name));
  });
  const targets = untilFaulty(operands, (operand) => {
    const found = findField(fields, operand.field, operand.at);
    return 'code' in found ? found : { operand, found };
  });
  const paths = new Paths(targets.flatMap((target) => ('found' in target ? [target.found.names] : [])));
  const made = untilFaulty(targets, (target) => {
    if ('code' in target) return target;
    const { operand, found } = target;
    return paths.take(found.names, operand.at) ?? editOf(operand, found, ground);
  });
  const problem = problemOfFaults(made.filter((edit) => 'code' in edit));
  if (problem !== null) throw problem;
  return made.filter((edit) => 'op' in edit);
}

interface PathOperand extends Operand {
  readonly field: string;
}

function operandsOf(op: Operation, value: unknown, path: string): readonly PathOperand[] {
  if (op !== 'clear') {
    const entries = Object.entries(expectObject(value, path));
    return entries.map(([field, operand]) => ({ op, field, value: operand, at: joinPath(path, field) }));
  }
  if (!Array.isArray(value)) throw notNames(path, nameOfKind(value));
  return value.map((field: unknown, index) => {
    if (typeof field !== 'string') throw notNames(`${path}[${index}]`, nameOfKind(field));
    return { op, field, value: undefined, at: `${path}[${index}]` };
  });
}

function notNames(path: string, value: string) {
  return invalid(path, { rule: 'field-names', limit: null, value, what: 'takes an array of field names' });
}

function editOf(
  operand: PathOperand,
  { names, declaration }: FoundField,
  ground: OperandGround,
): FieldEdit | Fault {
  const { op, at } = operand;
  const wrong = wrongOperation(op, declaration, { path: shortPath(names), at });
  if (wrong !== null) return wrong;
  const edit = readOperand(operand, ground);
  return 'code' in edit ? edit : { ...edit, names, at };
}

/** The paths of one request, which have to be apart. */
class Paths {
  readonly #all: ReadonlySet<string>;
  readonly #taken = new Set<string>();

  constructor(all: readonly (readonly string[])[]) {
    this.#all = new Set(all.map(pathOf));
  }

  /** The fault of a path that was taken before, or lies within another of them. */
  take(names: readonly string[], at: string): Fault | null {
    const path = pathOf(names);
    const isTaken = this.#taken.has(path);
    this.#taken.add(path);
    if (isTaken) return together(`The path ${shortPath(names)} occurs twice in one request.`, 'once', at);
    const around = names.findIndex((_name, end) => end > 0 && this.#all.has(pathOf(names.slice(0, end))));
    if (around === -1) return null;
    const outer = shortPath(names.slice(0, around));
    return together(`${shortPath(names)} lies within ${outer}, which the same request edits.`, 'apart', at);
  }
}

function together(detail: string, rule: string, at: string): Fault {
  return { code: 'invalid-value', detail, violation: { field: at, rule, limit: 1, value: 2 } };
}

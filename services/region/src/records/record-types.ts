/**
 * The declared collections on top of the conflict library. Whatever the service does to records with it goes through
 * here; `lost-edits.ts` only works out which edits to make. Refusals of the library become problems with the field's
 * place in the request. Stored bytes that the library cannot read are a failure of ours and never shown as an empty
 * record.
 */
import { createHash } from 'node:crypto';
import {
  ConflictError,
  type Editor,
  type Field,
  type Fields,
  type ReadResult,
  type Schema,
  type TextEngine,
  inspect,
  isDead,
  liveHash,
  schema,
  version,
} from '@isthmus/conflict';
import { ReplicationError } from '@isthmus/replication/errors';
import type { EditContext } from '@isthmus/replication/journal/journal';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { CollectionDeclaration, Declarations } from '../declarations.ts';
import type { FieldDeclaration, FieldDeclarations } from '../field-declarations.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem } from '../problem.ts';
import { type FieldEdit, joinPath } from './field-edit.ts';
import type { Made, RecordType } from './record-type.ts';
import type { RecordView, Shown } from './record-view.ts';
import { holdersAt } from './rights.ts';
import type { RecordConflicts } from './conflict-view.ts';
import { type Lost, type LostChange, lostEdits } from './lost-edits.ts';
import { UnreadableRecord, formatOf, isTooNew, tooNewFailure, tooNewProblem } from './unreadable-record.ts';

/** `text` is needed where a collection declares a text. */
export function recordTypes(declarations: Declarations, text?: TextEngine): ReadonlyMap<string, RecordType> {
  return new Map([...declarations].map(([name, declared]) => [name, new DeclaredRecords(declared, text)]));
}

class DeclaredRecords implements RecordType {
  readonly fields: FieldDeclarations;
  readonly #schema: Schema;

  constructor({ fields, deletes }: CollectionDeclaration, text: TextEngine | undefined) {
    this.fields = fields;
    this.#schema = schema(schemaFields(fields), { deletes, ...(text === undefined ? {} : { text }) });
  }

  exists(state: Uint8Array): boolean {
    return state.length > 0 && !readable(state, () => isDead(state));
  }

  show(state: Uint8Array): Shown {
    if (state.length === 0) return null;
    return understood(state, () => {
      const reading = this.#schema.read(state);
      if (reading.value === null) return null;
      return {
        value: reading.value,
        siblings: siblingsOf(reading),
        updatedAtMs: reading.updatedAt ?? 0,
        version: version(state),
        showing: reading.exposed,
      };
    });
  }

  view(state: Uint8Array): RecordView | null {
    const shown = this.show(state);
    if (shown instanceof UnreadableRecord) throw tooNewProblem(shown);
    return shown;
  }

  edit(before: Uint8Array, context: EditContext, edits: readonly FieldEdit[]): Made | Problem {
    return this.#edit(before, context, (editor) => {
      for (const edit of edits)
        placed(
          () => edit.at,
          () => make(editor, edit),
        );
    });
  }

  put(
    before: Uint8Array,
    context: EditContext,
    { value, path }: { readonly value: object; readonly path: string },
  ): Made | Problem {
    return this.#edit(before, context, (editor) =>
      placed(
        (field) => joinPath(path, field),
        () => editor.put(value),
      ),
    );
  }

  remove(before: Uint8Array, context: EditContext): Made | Problem {
    return this.#edit(before, context, (editor) => editor.delete());
  }

  liveHash(id: RecordId, state: Uint8Array): bigint | null {
    const hash = readable(state, () => liveHash(state));
    if (hash.every((byte) => byte === 0)) return null;
    const keyed = createHash('sha256')
      .update(JSON.stringify([id.collection, id.key]))
      .update(hash)
      .digest('hex');
    return BigInt(`0x${keyed.slice(0, 32)}`);
  }

  inspect(state: Uint8Array): unknown {
    const inspection = understood(state, () => inspect(state));
    return inspection instanceof UnreadableRecord ? null : inspection;
  }

  restore(
    before: Uint8Array,
    context: EditContext,
    { field, value }: { readonly field: string; readonly value: unknown },
  ): Made | Problem {
    return this.#edit(before, context, (editor) => editor.set(field, value));
  }

  lost(before: Uint8Array, change: LostChange): Lost {
    return readable(before, () => lostEdits(this.#schema, before, change));
  }

  conflicts(state: Uint8Array): RecordConflicts | UnreadableRecord | null {
    return understood(state, () => {
      const { siblings, exposed } = this.#schema.read(state);
      const conflicting = Object.entries(siblings);
      if (conflicting.length === 0) return null;
      const reasons = reasonsOf(state);
      const fields = conflicting.map(([field, values]) => ({
        field,
        resolution: exposed.includes(field) ? ('siblings' as const) : ('last-writer' as const),
        siblings: values.map(({ value, at, actor, shown }) => {
          return { value, atMs: at, actor, shown, why: reasons.get(reasonName(field, actor)) ?? '' };
        }),
      }));
      return { version: version(state), fields };
    });
  }

  #edit(before: Uint8Array, context: EditContext, change: (editor: Editor) => void): Made | Problem {
    try {
      return this.#schema.edit(before, context, change);
    } catch (error) {
      if (error instanceof Problem) return withHolders(error, before);
      if (error instanceof ConflictError && isTooNew(error, before))
        return tooNewProblem({ format: formatOf(before) });
      if (error instanceof ConflictError) return refusalOf(error, error.field);
      throw error;
    }
  }
}

const noSiblings: RecordView['siblings'] = new Map();

/** Most records have none, and an empty map costs as much as a field. */
function siblingsOf({ siblings, conflicts }: ReadResult): RecordView['siblings'] {
  if (conflicts.length === 0) return noSiblings;
  return new Map(
    Object.entries(siblings).map(([field, values]) => [
      field,
      values.map(({ at, ...sibling }) => ({ ...sibling, atMs: at })),
    ]),
  );
}

function schemaFields(fields: FieldDeclarations): Fields {
  return Object.fromEntries([...fields].map(([name, declaration]) => [name, schemaField(declaration)]));
}

function schemaField(declaration: FieldDeclaration): Field {
  if (declaration.type !== 'map') return declaration;
  if ('of' in declaration) return { type: 'map', of: schemaField(declaration.of) };
  return { type: 'map', fields: schemaFields(declaration.fields) };
}

/** Runs an operation whose refusal names its place in the request, found from the field's path. */
function placed(placeOf: (field: string) => string, operation: () => void): void {
  try {
    operation();
  } catch (error) {
    // What is stored has no place in the request.
    if (!(error instanceof ConflictError) || error.code === 'newer-format') throw error;
    throw refusalOf(error, placeOf(error.field));
  }
}

function make(editor: Editor, edit: FieldEdit): void {
  switch (edit.op) {
    case 'set':
      return editor.set(edit.names, edit.value);
    case 'clear':
      return editor.clear(edit.names);
    case 'increment':
    case 'spend':
    case 'refill':
      return editor[edit.op](edit.names, edit.by);
    case 'add':
    case 'remove':
      return editor[edit.op](edit.names, edit.elements);
    case 'moveRights':
      return editor.moveRights(edit.names, edit);
    case 'splice':
      return editor.splice(edit.names, edit.splices);
  }
}

/** What a caller can mend. Every other code means that stored bytes, or our own call, were wrong. */
const codes: Readonly<Partial<Record<ConflictError['code'], ProblemCode>>> = {
  'counter-out-of-range': 'counter-out-of-range',
  'insufficient-rights': 'insufficient-rights',
  'invalid-value': 'invalid-value',
  'too-deep': 'too-deep',
  'too-large': 'body-too-large',
  'unknown-field': 'unknown-field',
  'wrong-operation': 'wrong-operation',
};

function refusalOf(error: ConflictError, place: string): Problem {
  const { rule, limit, value, have, need } = error;
  if (error.code === 'text-engine-missing') return undeclaredText(error, place);
  const code = codes[error.code];
  if (code === undefined) throw unreadable(error);
  return new Problem(code, error.message, {
    violations: [{ field: place, rule, limit, value }],
    ...(have === null || need === null ? {} : { rights: { have, need } }),
    cause: error,
  });
}

/** Where no text is declared nothing understands one; yet one may be stored, if the declarations of peers differ. */
function undeclaredText(cause: ConflictError, place: string): Problem {
  const detail = `The record holds a text at ${cause.field}, which this region does not declare: declare it here, or write where it is declared.`;
  const violation = { field: place, rule: 'declared', limit: null, value: null };
  return new Problem('wrong-operation', detail, { violations: [violation], cause });
}

/** Of a spending that was refused, with those who hold the rights instead. */
function withHolders(problem: Problem, before: Uint8Array): Problem {
  const { cause } = problem;
  if (problem.rights === undefined || !(cause instanceof ConflictError)) return problem;
  const holders = readable(before, () => holdersAt(before, cause.field));
  const { violations, headers, rights } = problem;
  return new Problem(problem.code, problem.message, { violations, headers, rights, holders, cause });
}

/** What is read of a state, where what is too new is an answer as well. */
function understood<T>(state: Uint8Array, read: () => T): T | UnreadableRecord {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    if (isTooNew(error, state)) return new UnreadableRecord(state);
    throw unreadable(error);
  }
}

function readable<T>(state: Uint8Array, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    throw isTooNew(error, state) ? tooNewFailure(state, error) : unreadable(error);
  }
}

function unreadable(cause: ConflictError): ReplicationError {
  return new ReplicationError('malformed-record', 'a stored state cannot be read', {
    retriable: false,
    cause,
  });
}

/** Why each live value of a register is shown or not; there is at most one of each actor. */
function reasonsOf(state: Uint8Array): ReadonlyMap<string, string> {
  const registers = inspect(state).fields.filter(({ type }) => type === 'register');
  return new Map(
    registers.flatMap(({ path, entries }) =>
      entries.map(({ actor, why }) => [reasonName(path, actor), why] as const),
    ),
  );
}

function reasonName(path: string, actor: string): string {
  return JSON.stringify([path, actor]);
}

/**
 * The declared collections on top of the conflict library; the only file of the service that knows it. Refusals of the
 * library become problems with the field's path in the request. Stored bytes that the library cannot read are a failure
 * of ours and never shown as an empty record.
 */
import { createHash } from 'node:crypto';
import {
  ConflictError,
  type Editor,
  type Schema,
  inspect,
  liveHash,
  schema,
  version,
} from '@isthmus/conflict';
import { ReplicationError } from '@isthmus/replication/errors';
import type { EditContext } from '@isthmus/replication/journal/journal';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { CollectionDeclaration, Declarations } from '../declarations.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem } from '../problem.ts';
import type { FieldEdit, Fields } from './field-edit.ts';
import type { Made, RecordType } from './record-type.ts';
import type { RecordView } from './record-view.ts';

export function recordTypes(declarations: Declarations): ReadonlyMap<string, RecordType> {
  return new Map([...declarations].map(([name, declaration]) => [name, new DeclaredRecords(declaration)]));
}

class DeclaredRecords implements RecordType {
  readonly fields: Fields;
  readonly #schema: Schema;
  readonly #showing: ReadonlySet<string>;

  constructor({ fields, deletes }: CollectionDeclaration) {
    this.fields = fields;
    this.#schema = schema(Object.fromEntries(fields), { deletes });
    const showing = [...fields].filter(
      ([, field]) => field.type === 'register' && field.resolve === 'siblings',
    );
    this.#showing = new Set(showing.map(([name]) => name));
  }

  view(state: Uint8Array): RecordView | null {
    if (state.length === 0) return null;
    const reading = readable(() => this.#schema.read(state));
    if (reading.value === null) return null;
    const siblings = Object.entries(reading.siblings).map(
      ([field, values]) => [field, values.map(({ at, ...sibling }) => ({ ...sibling, atMs: at }))] as const,
    );
    return {
      fields: new Map(Object.entries(reading.value)),
      siblings: new Map(siblings),
      updatedAtMs: reading.updatedAt ?? 0,
      version: version(state),
      showing: this.#showing,
    };
  }

  edit(before: Uint8Array, context: EditContext, edits: readonly FieldEdit[]): Made | Problem {
    return this.#edit(before, context, (editor) => {
      for (const edit of edits) make(editor, edit);
    });
  }

  remove(before: Uint8Array, context: EditContext): Made | Problem {
    return this.#edit(before, context, (editor) => editor.delete());
  }

  liveHash(id: RecordId, state: Uint8Array): bigint | null {
    const hash = readable(() => liveHash(state));
    if (hash.every((byte) => byte === 0)) return null;
    const keyed = createHash('sha256')
      .update(JSON.stringify([id.collection, id.key]))
      .update(hash)
      .digest('hex');
    return BigInt(`0x${keyed.slice(0, 32)}`);
  }

  inspect(state: Uint8Array): unknown {
    return readable(() => inspect(state));
  }

  #edit(before: Uint8Array, context: EditContext, change: (editor: Editor) => void): Made | Problem {
    try {
      return this.#schema.edit(before, context, change);
    } catch (error) {
      if (error instanceof ConflictError) return refusalOf(error);
      throw error;
    }
  }
}

function make(editor: Editor, edit: FieldEdit): void {
  if (edit.op === 'set') editor.set(edit.field, edit.value);
  else if (edit.op === 'increment') editor.increment(edit.field, edit.by);
  else editor.clear(edit.field);
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

function refusalOf(error: ConflictError): Problem {
  const { field, rule, limit, value } = error;
  const code = codes[error.code];
  if (code === undefined) throw unreadable(error);
  return new Problem(code, error.message, {
    violations: [{ field, rule, limit, value }],
    cause: error,
  });
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConflictError ? unreadable(error) : error;
  }
}

function unreadable(cause: ConflictError): ReplicationError {
  return new ReplicationError('malformed-record', 'a stored state cannot be read', {
    retriable: false,
    cause,
  });
}

/**
 * The declared collections joined to the conflict library: the one file of the service that knows it. What the library
 * refuses comes out as a problem document; what it decides is not judged here.
 */
import { ConflictError, inspect, liveHash, schema } from '@isthmus/conflict';
import type { ConflictCode, Editor, FieldDeclaration as ConflictField, Schema } from '@isthmus/conflict';
import type { EditContext } from '@isthmus/replication/journal/journal';
import type { RecordId } from '@isthmus/replication/ports/change';
import { createHash } from 'node:crypto';
import type { Declarations, FieldDeclaration } from '../declarations.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem } from '../problem.ts';
import type { FieldEdit, Fields } from './field-edit.ts';
import type { Made, RecordType } from './record-type.ts';
import type { RecordView } from './record-view.ts';

export function recordTypes(declarations: Declarations): ReadonlyMap<string, RecordType> {
  return new Map(
    [...declarations].map(([name, { fields, deletes }]) => {
      const declared = [...fields].map(
        ([field, declaration]) => [field, conflictField(declaration)] as const,
      );
      return [name, new DeclaredType(fields, schema(Object.fromEntries(declared), { deletes }))];
    }),
  );
}

function conflictField(field: FieldDeclaration): ConflictField {
  if (field.type === 'counter') return { type: 'counter' };
  return { type: 'register', resolve: field.resolve === 'siblings' ? 'siblings' : 'last-writer' };
}

class DeclaredType implements RecordType {
  readonly fields: Fields;
  readonly #schema: Schema;
  readonly #showing: ReadonlySet<string>;

  constructor(fields: Fields, declared: Schema) {
    this.fields = fields;
    this.#schema = declared;
    const showing = [...fields].filter(
      ([, field]) => field.type === 'register' && field.resolve === 'siblings',
    );
    this.#showing = new Set(showing.map(([name]) => name));
  }

  view(state: Uint8Array): RecordView | null {
    const reading = this.#schema.read(state);
    return reading === null ? null : { ...reading, showing: this.#showing };
  }

  edit(before: Uint8Array, context: EditContext, edits: readonly FieldEdit[]): Made | Problem {
    try {
      return this.#schema.edit(before, context, (editor) => {
        for (const edit of edits) applyEdit(editor, edit);
      });
    } catch (error) {
      if (error instanceof ConflictError) return problemOf(error);
      throw error;
    }
  }

  remove(before: Uint8Array, context: EditContext): Made {
    return this.#schema.edit(before, context, (editor) => editor.delete());
  }

  liveHash({ collection, key }: RecordId, state: Uint8Array): bigint | null {
    const live = liveHash(state);
    if (live === null) return null;
    const keyed = createHash('sha256').update(`${collection}\0${key}\0`).update(live).digest('hex');
    return BigInt(`0x${keyed.slice(0, 32)}`);
  }

  inspect(state: Uint8Array): unknown {
    return inspect(state);
  }
}

function applyEdit(editor: Editor, edit: FieldEdit): void {
  switch (edit.op) {
    case 'set':
      return editor.set(edit.field, edit.value);
    case 'clear':
      return editor.clear(edit.field);
    case 'increment':
      return editor.increment(edit.field, edit.by);
  }
}

const problemCodes: Readonly<Record<ConflictCode, ProblemCode>> = {
  'unknown-field': 'unknown-field',
  'invalid-value': 'invalid-value',
  'wrong-operation': 'wrong-operation',
  'counter-out-of-range': 'counter-out-of-range',
  'too-large': 'body-too-large',
  'too-deep': 'too-deep',
  malformed: 'invalid-value',
};

function problemOf({ code, message, field, rule, limit, value }: ConflictError): Problem {
  return new Problem(problemCodes[code], message, { violations: [{ field, rule, limit, value }] });
}

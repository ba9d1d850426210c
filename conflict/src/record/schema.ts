/**
 * A collection's declarations, ready to edit and read its records. Editing invents nothing: actor, floor and time
 * are given. It is exact about its effect: the new state is the old one merged with the delta, and where the
 * edit changes nothing the state comes back as the same reference with an empty delta.
 */
import { checkDeclarations } from '../types/declarations.ts';
import type { FieldDeclarations, SchemaOptions } from '../types/declarations.ts';
import { decode } from './decoded.ts';
import type { EditContext } from './delta.ts';
import { DeltaBuilder } from './delta.ts';
import type { Editor } from './editor.ts';
import { EditPlan } from './editor.ts';
import { checkSizes } from './limits.ts';
import { merge } from './merge.ts';
import type { RecordView } from './read.ts';
import { read } from './read.ts';

export interface EditResult {
  readonly state: Uint8Array;
  /** Empty where nothing changed. */
  readonly delta: Uint8Array;
  readonly changed: boolean;
}

export interface Schema {
  readonly fields: FieldDeclarations;
  readonly deletes: 'add-wins' | 'last-writer-wins';
  /** Creates the record where it does not exist, also if `change` asks for nothing. Throws ConflictError. */
  edit(before: Uint8Array, context: EditContext, change: (editor: Editor) => void): EditResult;
  read(state: Uint8Array): RecordView;
}

export function schema(fields: FieldDeclarations, options: SchemaOptions = {}): Schema {
  checkDeclarations(fields, options);
  const deletes = options.deletes ?? 'add-wins';
  const lastWriterWins = deletes === 'last-writer-wins';
  return {
    fields,
    deletes,
    read: (state) => read(state, fields),
    edit(before, context, change) {
      const plan = new EditPlan(decode(before), fields);
      change(plan);
      const delta = new DeltaBuilder(plan, context, lastWriterWins).build();
      if (delta === null) return { state: before, delta: new Uint8Array(0), changed: false };
      const { state, changed } = merge(before, delta);
      checkSizes(before, delta, state);
      return { state, delta, changed };
    },
  };
}

import type { EditContext } from '@isthmus/replication/journal/journal';
import type { Problem } from '../problem.ts';
import type { FieldEdit, Fields } from './field-edit.ts';
import type { RecordView } from './record-view.ts';

export interface Made {
  readonly state: Uint8Array;
  readonly delta: Uint8Array;
}

export interface RecordType {
  readonly fields: Fields;
  /** `null` where the record does not exist; `state` may be empty. */
  view(state: Uint8Array): RecordView | null;
  edit(before: Uint8Array, context: EditContext, edits: readonly FieldEdit[]): Made | Problem;
  remove(before: Uint8Array, context: EditContext): Made;
}

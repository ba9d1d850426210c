/**
 * What the HTTP side needs to know of a collection's records: how to read a stored state, and how to make the next one.
 * All of it is pure. What an edit cannot do to the record as it stands comes back as a `Problem`.
 */
import type { EditContext } from '@isthmus/replication/journal/journal';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { FieldDeclarations } from '../field-declarations.ts';
import type { Problem } from '../problem.ts';
import type { FieldEdit } from './field-edit.ts';
import type { RecordView, Shown } from './record-view.ts';
import type { RecordConflicts } from './conflict-view.ts';
import type { Lost, LostChange } from './lost-edits.ts';
import type { UnreadableRecord } from './unreadable-record.ts';

export interface Made {
  readonly state: Uint8Array;
  /** Empty where nothing changed. */
  readonly delta: Uint8Array;
  readonly changed: boolean;
  /** Whether the record existed before. */
  readonly existed: boolean;
}

export interface RecordType {
  readonly fields: FieldDeclarations;
  /** `state` may be empty. */
  exists(state: Uint8Array): boolean;
  /** `null` where the record does not exist; `state` may be empty. */
  show(state: Uint8Array): Shown;
  /** The same; throws a `Problem` of what cannot be shown. */
  view(state: Uint8Array): RecordView | null;
  /** Makes the edits, and creates the record where it does not exist. */
  edit(before: Uint8Array, context: EditContext, edits: readonly FieldEdit[]): Made | Problem;
  /** Makes the record exactly this value and writes only what differs; `path` is where the request holds the value. */
  put(
    before: Uint8Array,
    context: EditContext,
    put: { readonly value: object; readonly path: string },
  ): Made | Problem;
  remove(before: Uint8Array, context: EditContext): Made | Problem;
  /** Hash of the live entries, keyed with collection and key; `null` where the record does not exist. */
  liveHash(id: RecordId, state: Uint8Array): bigint | null;
  /** Everything in the state, for operators; `null` where the bytes are too new to be taken apart. */
  inspect(state: Uint8Array): unknown;
  /** Makes the register at the path `field` show `value`, which one of its siblings holds. */
  restore(
    before: Uint8Array,
    context: EditContext,
    to: { readonly field: string; readonly value: unknown },
  ): Made | Problem;
  /** What has to be written for the record to show a change that never arrived; the change is validated before. */
  lost(before: Uint8Array, change: LostChange): Lost;
  /** Registers with several live values; `null` where there is none. */
  conflicts(state: Uint8Array): RecordConflicts | UnreadableRecord | null;
}

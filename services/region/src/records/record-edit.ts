/**
 * A write of one record as the journal takes it: a pure function from the stored state to the new one, run under the
 * record's row lock and perhaps more than once. Conditions are checked there, on the state that is really replaced.
 */
import type { Edited, EditContext } from '@isthmus/replication/journal/journal';
import { type Conditions, refuseWrite } from '../api/conditions.ts';
import { Problem } from '../problem.ts';
import type { FieldEdit } from './field-edit.ts';
import { putEdits } from './put-edits.ts';
import type { RecordType } from './record-type.ts';
import type { RecordView } from './record-view.ts';

export interface WriteResult {
  readonly status: 200 | 201 | 204;
  /** `null` after a delete. */
  readonly view: RecordView | null;
}

export type RecordEdit = (before: Uint8Array, context: EditContext) => Edited<WriteResult, Problem>;

export interface WriteTarget {
  readonly type: RecordType;
  readonly conditions: Conditions;
  /** Where the request holds the value, for messages. */
  readonly path: string;
}

export function putEdit(target: WriteTarget, named: ReadonlyMap<string, unknown>): RecordEdit {
  const { fields } = target.type;
  return guarded(target, (stored) => {
    const held = stored.view?.fields ?? new Map<string, unknown>();
    const planned = putEdits(named, { fields, held, path: target.path });
    if (planned instanceof Problem) return { kind: 'refuse', refusal: planned };
    return write(target.type, stored, planned);
  });
}

export function patchEdit(target: WriteTarget, edits: readonly FieldEdit[]): RecordEdit {
  return guarded(target, (stored) => write(target.type, stored, edits));
}

export function deleteEdit(target: WriteTarget): RecordEdit {
  const result: WriteResult = { status: 204, view: null };
  return guarded(target, ({ before, view, context }) => {
    if (view === null) return { kind: 'keep', result };
    const { state, delta } = target.type.remove(before, context);
    return { kind: 'write', state, delta, result };
  });
}

interface Stored {
  readonly before: Uint8Array;
  /** `null` where the record does not exist. */
  readonly view: RecordView | null;
  readonly context: EditContext;
}

type Step = (stored: Stored) => Edited<WriteResult, Problem>;

function guarded({ type, conditions }: WriteTarget, step: Step): RecordEdit {
  return (before, context) => {
    const view = type.view(before);
    const refusal = refuseWrite(conditions, view?.version ?? null);
    return refusal === null ? step({ before, view, context }) : { kind: 'refuse', refusal };
  };
}

function write(type: RecordType, stored: Stored, edits: readonly FieldEdit[]): Edited<WriteResult, Problem> {
  const { before, view, context } = stored;
  if (view !== null && edits.length === 0) return { kind: 'keep', result: { status: 200, view } };
  const made = type.edit(before, context, edits);
  if (made instanceof Problem) return { kind: 'refuse', refusal: made };
  const { state, delta } = made;
  return {
    kind: 'write',
    state,
    delta,
    result: { status: view === null ? 201 : 200, view: type.view(state) },
  };
}

/**
 * A write of one record as the journal takes it: a pure function from the stored state to the new one, run under the
 * record's row lock and perhaps more than once. Conditions are checked there, on the state that is really replaced.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Edited, EditContext } from '@isthmus/replication/journal/journal';
import { type Conditions, refuseWrite } from '../api/conditions.ts';
import { Problem, problemOfFailure } from '../problem.ts';
import type { FieldEdit } from './field-edit.ts';
import { refuseCounters } from './put-edits.ts';
import type { Made, RecordType } from './record-type.ts';
import type { Shown } from './record-view.ts';

export interface WriteResult {
  readonly status: 200 | 201 | 204;
  /** `null` after a delete, where nobody asked for it, and where a later write overtakes this one. */
  readonly view: Shown;
}

export type RecordEdit = (before: Uint8Array, context: EditContext) => Edited<WriteResult, Problem>;

export interface WriteTarget {
  readonly type: RecordType;
  readonly conditions: Conditions;
  /** The caller does without the record as the write leaves it; reading that costs half as much as the edit. */
  readonly isMinimal: boolean;
  /** A later write of the same request leaves the record otherwise, so that this one need not show it. */
  readonly isOvertaken?: boolean;
  /** Where the request holds the value, for messages. */
  readonly path: string;
}

export function putEdit(target: WriteTarget, value: object): RecordEdit {
  const { type, path } = target;
  return guarded(target, ({ before, context }) => {
    const held = () => type.view(before)?.value ?? {};
    const refusal = refuseCounters(value, type.fields, { held, path });
    return refusal ?? type.put(before, context, { value, path });
  });
}

export function patchEdit(target: WriteTarget, edits: readonly FieldEdit[]): RecordEdit {
  return guarded(target, ({ before, context }) => target.type.edit(before, context, edits));
}

export function deleteEdit(target: WriteTarget): RecordEdit {
  const { type } = target;
  return guarded(target, ({ before, context }) =>
    type.exists(before) ? type.remove(before, context) : null,
  );
}

interface Stored {
  readonly before: Uint8Array;
  readonly context: EditContext;
}

/** What to write, `null` where there is nothing to do. */
type Step = (stored: Stored) => Made | Problem | null;

/** The write that `step` decides on, once the target's conditions hold. */
export function guarded(target: WriteTarget, step: Step): RecordEdit {
  const { type, conditions, isMinimal, isOvertaken = false } = target;
  const shown = (state: Uint8Array) => (isMinimal || isOvertaken ? null : type.show(state));
  const resultOf = (existed: boolean, view: Shown): WriteResult => {
    const nothingToShow = view === null && (isMinimal || !isOvertaken);
    if (existed) return { status: nothingToShow ? 204 : 200, view };
    return { status: 201, view };
  };
  return (before, context) => {
    const made = refusalOf(type, conditions, before) ?? taken(step, { before, context });
    if (made instanceof Problem) return { kind: 'refuse', refusal: made };
    if (made === null || !made.changed) return { kind: 'keep', result: resultOf(true, shown(before)) };
    const { state, delta, existed } = made;
    return { kind: 'write', state, delta, result: resultOf(existed, shown(state)) };
  };
}

/** Reading the record costs as much as the edit, so it is read only for conditions that there are. */
function refusalOf(type: RecordType, conditions: Conditions, before: Uint8Array): Problem | null {
  if (conditions.ifMatch === null && conditions.ifNoneMatch === null) return null;
  return refuseWrite(conditions, type.show(before)?.version ?? null);
}

/** What a step needs to understand of the record and cannot is a refusal like others. */
function taken(step: Step, stored: Stored): ReturnType<Step> {
  try {
    return step(stored);
  } catch (error) {
    if (error instanceof Problem) return error;
    if (error instanceof ReplicationError && error.code === 'newer-format') return problemOfFailure(error);
    throw error;
  }
}

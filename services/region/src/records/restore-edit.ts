/**
 * Showing another value of a conflict: an ordinary write of the value that one sibling holds, decided under the
 * record's row lock. It has seen all siblings, so all others end with it, in every region that it reaches. Where the
 * conflict is gone by then, or no longer holds the sibling that was named, nothing is written.
 */
import { regionOfActor } from '@isthmus/replication/ports/identity';
import type { RecordId } from '@isthmus/replication/ports/change';
import { Problem } from '../problem.ts';
import { type ConflictSibling, findConflict, noConflict } from './conflict-view.ts';
import { UnreadableRecord, tooNewProblem } from './unreadable-record.ts';
import { type RecordEdit, type WriteTarget, guarded } from './record-edit.ts';

/** Which sibling is meant: that of an actor, or of a region; both `null`: the only one that is hidden. */
export interface SiblingChoice {
  readonly actor: string | null;
  readonly region: string | null;
}

interface Restore {
  readonly id: string;
  readonly record: RecordId;
  readonly choice: SiblingChoice;
}

export function restoreEdit(target: WriteTarget, { id, record, choice }: Restore): RecordEdit {
  const { type } = target;
  return guarded(target, ({ before, context }) => {
    const conflicts = type.conflicts(before);
    if (conflicts instanceof UnreadableRecord) return tooNewProblem(conflicts, record);
    const conflict = findConflict(conflicts, record, id);
    if (conflict === null) return noConflict();
    const sibling = chosenSibling(conflict.siblings, choice);
    if (sibling instanceof Problem) return sibling;
    return type.restore(before, context, { field: conflict.field, value: sibling.value });
  });
}

/** The same decision on the same locked record, of which nothing is written. */
export function withoutWriting(edit: RecordEdit): RecordEdit {
  return (before, context) => {
    const edited = edit(before, context);
    return edited.kind === 'write' ? { kind: 'keep', result: edited.result } : edited;
  };
}

function chosenSibling(
  siblings: readonly ConflictSibling[],
  choice: SiblingChoice,
): ConflictSibling | Problem {
  const { actor, region } = choice;
  const isNamed = actor !== null || region !== null;
  const meant = siblings.filter((sibling) => (isNamed ? isOf(sibling, choice) : !sibling.shown));
  const [first] = meant;
  if (first === undefined) return notAmong(siblings, choice);
  return meant.length === 1 ? first : several(meant);
}

function isOf({ actor }: ConflictSibling, choice: SiblingChoice): boolean {
  if (choice.actor !== null && choice.actor !== actor) return false;
  return choice.region === null || choice.region === regionOfActor(actor);
}

function notAmong(siblings: readonly ConflictSibling[], { actor, region }: SiblingChoice): Problem {
  const violation = {
    field: actor === null ? 'region' : 'actor',
    rule: 'sibling',
    limit: siblings.map((sibling) => sibling.actor),
    value: (actor ?? region ?? '').slice(0, 64),
  };
  return new Problem('not-found', 'The conflict holds no value of whom the request names.', {
    violations: [violation],
  });
}

function several(meant: readonly ConflictSibling[]): Problem {
  const actors = meant.map(({ actor }) => actor);
  const detail = `${meant.length} values are meant; name one by its actor: ${actors.join(', ')}.`;
  return new Problem('invalid-value', detail, {
    violations: [{ field: 'actor', rule: 'one-of', limit: actors, value: null }],
  });
}

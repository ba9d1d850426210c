/**
 * Issuing lost changes again: for each exported record two edits of one local transaction, the note that this row is
 * done and the ordinary edits that it comes to. The note is a record of its own that replicates like any other, so a row
 * is issued once, wherever and however often it is tried; two regions that issue one row at the same time, neither
 * having the other's note, are what it cannot stop. A refused edit takes no note with it.
 */
import { contextOf, inspect, register, schema } from '@isthmus/conflict';
import type { Edit, EditContext, Edited } from '@isthmus/replication/journal/journal';
import type { RecordId } from '@isthmus/replication/ports/change';
import { Problem } from '../problem.ts';
import type { LostChange } from './lost-edits.ts';
import type { RecordType } from './record-type.ts';

export interface ReissueRow extends RecordId, LostChange {
  readonly id: string;
  /** Who wrote it. */
  readonly actor: string;
}

export type Reissued =
  | 'issued'
  /** Nothing was left to say: overwritten since, or there already. */
  | 'nothing-left'
  | 'done-before';

/** No collection can be declared under this name. */
const notesCollection = 'isthmus.reissued';

const note = schema({ collection: register(), key: register() });

type NoteOr = Reissued | 'noted';

/** The two edits of a row, in this order; `isDry` writes nothing. */
export function reissueEdits(
  row: ReissueRow,
  type: RecordType,
  isDry: boolean,
): readonly Edit<NoteOr, Problem | 'done-before'>[] {
  const { id, collection, key } = row;
  const shape = isDry ? withoutWriting : (edited: Edited<NoteOr, Problem | 'done-before'>) => edited;
  return [
    {
      id: { collection: notesCollection, key: id },
      edit: (before, context) => shape(noted(row, before, context)),
    },
    { id: { collection, key }, edit: (before, context) => shape(issued(row, type, { before, context })) },
  ];
}

function noted(
  { collection, key }: RecordId,
  before: Uint8Array,
  context: EditContext,
): Edited<NoteOr, Problem | 'done-before'> {
  if (before.length > 0) return { kind: 'refuse', refusal: 'done-before' };
  const { state, delta } = note.edit(before, context, (editor) => {
    editor.set('collection', collection);
    editor.set('key', key);
  });
  return { kind: 'write', state, delta, result: 'noted' };
}

interface Stored {
  readonly before: Uint8Array;
  readonly context: EditContext;
}

function issued(
  row: ReissueRow,
  type: RecordType,
  { before, context }: Stored,
): Edited<NoteOr, Problem | 'done-before'> {
  const claimed = claimedSince(row, before);
  if (claimed !== undefined) return { kind: 'refuse', refusal: claimedProblem(claimed) };
  const lost = type.lost(before, row);
  if (lost.kind === 'nothing') return { kind: 'keep', result: 'nothing-left' };
  const made = lost.kind === 'delete' ? type.remove(before, context) : type.edit(before, context, lost.edits);
  if (made instanceof Problem) return { kind: 'refuse', refusal: made };
  if (!made.changed) return { kind: 'keep', result: 'nothing-left' };
  return { kind: 'write', state: made.state, delta: made.delta, result: 'issued' };
}

/**
 * Whose rights were claimed under dots that this row has for other writes, so the two cannot be told apart: the writer's
 * own, or those of somebody in whose name the writer had claimed.
 */
function claimedSince({ base, actor, delta }: ReissueRow, before: Uint8Array): string | undefined {
  if (base === null || before.length === 0) return undefined;
  const [now, then] = [contextOf(before), contextOf(base)];
  const entries = inspect(delta).fields.flatMap((field) => field.entries);
  const writers = new Set([actor, ...entries.map((entry) => entry.actor)]);
  return [...writers].find((writer) => now.last(writer) > then.last(writer));
}

function claimedProblem(actor: string): Problem {
  const detail = `Rights of ${actor} were claimed in this record since it was exported, so what was written beside cannot be told apart any more: look at the row in the file and write what is missing by hand.`;
  return new Problem('claimed-since', detail);
}

function withoutWriting<T, R>(edited: Edited<T, R>): Edited<T, R> {
  return edited.kind === 'write' ? { kind: 'keep', result: edited.result } : edited;
}

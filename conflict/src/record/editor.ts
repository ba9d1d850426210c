/**
 * Carries out the operations of one edit. Each is checked against the declaration before it writes, but one that fails
 * half way leaves a draft that must not be used: so the edit throws the first error also where somebody caught it. An
 * editor takes nothing once the edit is over, so what a kept one is told is never silently lost.
 */
import { readFrom } from '../arguments.ts';
import { tagDeletion, tagMark } from '../codec/format.ts';
import type { Path } from '../codec/path.ts';
import { check, refusal } from '../refusal.ts';
import type { MapField } from '../types/field.ts';
import { operations, putMap } from '../types/field-types.ts';
import { resetPlace } from '../types/reset.ts';
import { type PlaceOf, resolveField } from '../types/resolve-field.ts';
import type { Draft } from './draft.ts';
import type { Editor } from './operations.ts';

type Run = (operation: () => void) => void;

/** Lets `change` edit the draft, and writes the mark where it is due. Throws what an operation threw, if one did. */
export function runEdit(draft: Draft, record: MapField, change: (editor: Editor) => unknown): void {
  let isOver = false;
  const failures: unknown[] = [];
  const run: Run = (operation) => {
    check(!isOver, 'invalid-argument', { rule: 'open-edit' });
    try {
      readFrom(null, 'readable', operation);
    } catch (error) {
      failures.push(error);
      throw error;
    }
  };
  try {
    checkFinished(change(editorOf(draft, record, run)));
  } finally {
    isOver = true;
  }
  for (const error of failures) throw error;
  writeMark(draft);
}

interface Ground {
  readonly draft: Draft;
  readonly root: PlaceOf<MapField>;
}

type Operation = (on: Ground, path: Path, given: unknown) => void;

const byName = new Map<string | symbol, Operation>([
  ['clear', ({ draft, root }, path) => resetPlace(draft, resolveField(root, path).place)],
  ['put', ({ draft, root }, value) => putMap(draft, root, value)],
  ['delete', ({ draft }) => deleteRecord(draft)],
]);
for (const [name, type, operation] of operations) {
  byName.set(name, ({ draft, root }, path, given) => {
    const found = resolveField(root, path);
    if (found.field.type === type) return operation(draft, found, given);
    throw refusal('wrong-operation', { field: found.place.label, rule: type, value: name });
  });
}

/** An operation is made when somebody asks for it, because an edit uses few of all that there are. */
function editorOf(draft: Draft, field: MapField, run: Run): Editor {
  const on = { draft, root: { place: draft.root, field } };
  const get = (_: object, name: string | symbol) => {
    const operation = byName.get(name);
    return (
      operation &&
      ((path: Path, given: unknown) =>
        run(() => {
          operation(on, path, given);
          // What follows a deletion creates the record again, also one that a value made while it was read.
          if (draft.mark === 'gone' && name !== 'delete') draft.mark = 'due';
        }))
    );
  };
  // The list has what the interface names, with the types of values that are checked anyhow.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new Proxy({}, { get }) as Editor;
}

/** What comes after an `await` would find the edit made. */
function checkFinished(result: unknown): void {
  readFrom(result, 'synchronous', () => {
    const { then } = Object(result);
    if (typeof then !== 'function') return;
    // It fails once it goes on, because the edit is over; this error stands for that one.
    then.call(result, undefined, () => undefined);
    throw refusal('invalid-argument', { rule: 'synchronous', value: result });
  });
}

function deleteRecord(draft: Draft): void {
  // What this edit has written does not live before its mark does, and goes too.
  const lives = (draft.mark !== 'gone' && draft.delta() !== null) || draft.live.length > 0;
  draft.mark = 'gone';
  resetPlace(draft, draft.root);
  // Of a record that is dead, only what its deletion hides goes; one of now would hide what others create meanwhile.
  if (lives) writeStamped(draft, tagDeletion, draft.options.lastWriterWins);
  draft.isWhole = draft.delta() !== null;
}

/** Where the record was created or emptied, and by every edit where the last writer wins. */
function writeMark(draft: Draft): void {
  const emptied = () => draft.live.every((entry) => entry.tag === tagMark);
  const everyEdit = (draft.options.lastWriterWins || emptied()) && draft.delta() !== null;
  if (draft.mark === 'due' || (draft.mark === 'kept' && everyEdit)) {
    writeStamped(draft, tagMark, true);
  }
}

/** Takes the marks or the deletions that are seen, and may write one. */
function writeStamped(draft: Draft, tag: number, isWritten: boolean): void {
  draft.overwrite(draft.root, { tag, sub: '' }, isWritten ? draft.stampText : null);
}

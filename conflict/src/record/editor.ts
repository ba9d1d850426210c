/**
 * Carries out the operations of one edit. Each is checked against the declaration before it writes, but one that fails
 * half way leaves a draft that must not be used: so the edit throws the first error also where somebody caught it. An
 * editor takes nothing once the edit is over, so what a kept one is told is never silently lost.
 */
import { isObject } from '../arguments.ts';
import { bytesOf } from '../codec/byte-writer.ts';
import { tagDeletion, tagMark } from '../codec/format.ts';
import type { Path } from '../codec/path.ts';
import { check, refusal } from '../refusal.ts';
import { moveRights, refill, spend } from '../types/bounded-counter.ts';
import { increment } from '../types/counter.ts';
import type { Field, MapField } from '../types/field.ts';
import { putMap } from '../types/put.ts';
import { restoreRegister, setRegister } from '../types/register.ts';
import { resetPlace } from '../types/reset.ts';
import { type PlaceOf, resolveField } from '../types/resolve-field.ts';
import { addElements, removeElements } from '../types/set.ts';
import { spliceText } from '../types/text.ts';
import type { Draft } from './draft.ts';
import type { Editor } from './operations.ts';
import { entriesAt } from './place.ts';

type Run = (operation: () => void) => void;
type FieldOf<Type extends Field['type']> = Extract<Field, { readonly type: Type }>;
type Operation<Type extends Field['type'], Value> = (
  draft: Draft,
  at: PlaceOf<FieldOf<Type>>,
  value: Value,
) => void;

/** Lets `change` edit the draft, and writes the mark where it is due. Throws what an operation threw, if one did. */
export function runEdit(draft: Draft, record: MapField, change: (editor: Editor) => unknown): void {
  let isOver = false;
  const failures: unknown[] = [];
  const run: Run = (operation) => {
    check(!isOver, 'invalid-argument', { rule: 'open-edit' });
    try {
      operation();
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

function editorOf(draft: Draft, field: MapField, run: Run): Editor {
  const root = { place: draft.root, field };
  const at = (path: Path) => {
    create(draft);
    return resolveField(root, path);
  };
  const on =
    <Type extends Field['type'], Value>(type: Type, value: string, operation: Operation<Type, Value>) =>
    (path: Path, given: Value) =>
      run(() => {
        const found = at(path);
        if (isOfType(found, type)) operation(draft, found, given);
        else throw refusal('wrong-operation', { field: found.place.label, rule: type, value });
      });
  return {
    set: on('register', 'set', setRegister),
    restore: on('register', 'restore', restoreRegister),
    increment: on('counter', 'increment', increment),
    spend: on('bounded-counter', 'spend', spend),
    refill: on('bounded-counter', 'refill', refill),
    moveRights: on('bounded-counter', 'moveRights', moveRights),
    add: on('set', 'add', addElements),
    remove: on('set', 'remove', removeElements),
    splice: on('text', 'splice', spliceText),
    clear: (path) => run(() => resetPlace(draft, at(path).place)),
    put: (value) =>
      run(() => {
        create(draft);
        putMap(draft, root, value);
      }),
    delete: () => run(() => deleteRecord(draft)),
  };
}

function isOfType<Type extends Field['type']>(at: PlaceOf, type: Type): at is PlaceOf<FieldOf<Type>> {
  return at.field.type === type;
}

/** What comes after an `await` would find the edit made. */
function checkFinished(result: unknown): void {
  if (!isObject(result) || !('then' in result) || typeof result.then !== 'function') return;
  // It fails once it goes on, because the edit is over; this error stands for that one.
  result.then(undefined, () => undefined);
  throw refusal('invalid-argument', { rule: 'synchronous', value: result });
}

/** What follows a deletion creates the record again. */
function create(draft: Draft): void {
  if (draft.mark === 'gone') draft.mark = 'due';
}

function deleteRecord(draft: Draft): void {
  // What this edit has written does not live before its mark does, and goes too.
  const lives = (draft.mark !== 'gone' && draft.changed) || draft.live.length > 0;
  draft.mark = 'gone';
  resetPlace(draft, draft.root);
  // Of a record that is dead, only what its deletion hides goes; one of now would hide what others create meanwhile.
  if (lives) draft.supersede(draft.root, entriesAt(draft.root, tagDeletion));
  if (lives && draft.options.lastWriterWins) writeStamped(draft, tagDeletion);
  draft.isWhole = draft.changed;
}

/** Where the record was created or emptied, and by every edit where the last writer wins. */
function writeMark(draft: Draft): void {
  const emptied = () => draft.live.every((entry) => entry.tag === tagMark);
  const everyEdit = draft.changed && (draft.options.lastWriterWins || emptied());
  if (draft.mark === 'due' || (draft.mark === 'kept' && everyEdit)) {
    draft.supersede(draft.root, entriesAt(draft.root, tagMark));
    writeStamped(draft, tagMark);
  }
}

function writeStamped(draft: Draft, tag: number): void {
  draft.write(draft.root, { tag, sub: '' }, bytesOf(draft.stampText));
}

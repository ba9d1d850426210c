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

function editorOf(draft: Draft, field: MapField, run: Run): Editor {
  // The list has what the interface names, with the types of values that are checked anyhow.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return new Operations(draft, field, run) as object as Editor;
}

/** An operation is made when somebody asks for it, because an edit uses few of all that there are. */
class Operations {
  static {
    for (const [name, type, operation] of operations) {
      const get = function (this: Operations) {
        return (path: Path, given: unknown): void =>
          this.#run(() => {
            const found = this.#at(path);
            if (found.field.type === type) return operation(this.#draft, found, given);
            throw refusal('wrong-operation', { field: found.place.label, rule: type, value: name });
          });
      };
      Object.defineProperty(this.prototype, name, { get });
    }
  }

  readonly #draft: Draft;
  readonly #root: PlaceOf<MapField>;
  readonly #run: Run;

  constructor(draft: Draft, field: MapField, run: Run) {
    this.#draft = draft;
    this.#root = { place: draft.root, field };
    this.#run = run;
  }

  get clear() {
    return (path: Path): void => this.#run(() => resetPlace(this.#draft, this.#at(path).place));
  }

  get put() {
    return (value: unknown): void =>
      this.#run(() => {
        create(this.#draft);
        putMap(this.#draft, this.#root, value);
      });
  }

  get delete() {
    return (): void => this.#run(() => deleteRecord(this.#draft));
  }

  #at(path: Path): PlaceOf {
    create(this.#draft);
    return resolveField(this.#root, path);
  }
}

/** What comes after an `await` would find the edit made. */
function checkFinished(result: unknown): void {
  const promise = Object(result);
  if (typeof readFrom(result, 'synchronous', () => promise.then) !== 'function') return;
  // It fails once it goes on, because the edit is over; this error stands for that one.
  promise.then(undefined, () => undefined);
  throw refusal('invalid-argument', { rule: 'synchronous', value: result });
}

/** What follows a deletion creates the record again. */
function create(draft: Draft): void {
  if (draft.mark === 'gone') draft.mark = 'due';
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

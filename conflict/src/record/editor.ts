/**
 * Carries out the operations of one edit. Each is checked against the declaration before it writes, but one that fails
 * half way leaves a draft that must not be used: the first error is kept, and `finish` throws it where nobody else did.
 * An editor takes nothing once the edit is closed, so what a kept one is told is never silently lost.
 */
import type { Path } from '../codec/path.ts';
import { tagDeletion, tagMark } from '../codec/format.ts';
import { bytesOf } from '../codec/byte-writer.ts';
import { check, refusal } from '../errors.ts';
import { moveRights, refill, spend } from '../types/bounded-counter.ts';
import { increment } from '../types/counter.ts';
import type { Field, MapField } from '../types/field.ts';
import { putMap } from '../types/put.ts';
import { restoreRegister, setRegister } from '../types/register.ts';
import { resetPlace } from '../types/reset.ts';
import { resolveField } from '../types/resolve-field.ts';
import { addElements, removeElements } from '../types/set.ts';
import { spliceText } from '../types/text.ts';
import type { Draft } from './draft.ts';
import { stampText } from './entry.ts';
import { liveEntries } from './liveness.ts';
import type { Editor } from './operations.ts';
import { entriesAt, type Place } from './place.ts';

type FieldOf<Type extends Field['type']> = Extract<Field, { readonly type: Type }>;
type Operation<Given> = (draft: Draft, at: Given, value: never) => void;

/** One edit; its operations work on a draft, which has the delta in the end. */
export class Edit {
  readonly #draft: Draft;
  readonly #record: MapField;
  /** Whether the record exists after what was done so far. */
  #exists = true;
  #markDue: boolean;
  #whole = false;
  #closed = false;
  #failures: unknown[] = [];

  constructor(draft: Draft, record: MapField) {
    this.#draft = draft;
    this.#record = record;
    this.#markDue = !this.#isLive();
  }

  /** Each operation is for one type, but for clearing. */
  editor(): Editor {
    const at = <Type extends Field['type']>(type: Type, name: string, operation: Operation<Place>) =>
      this.#operation(name, type, (draft, { place }, value: never) => operation(draft, place, value));
    return {
      set: at('register', 'set', setRegister),
      restore: at('register', 'restore', restoreRegister),
      increment: at('counter', 'increment', increment),
      spend: at('bounded-counter', 'spend', spend),
      refill: at('bounded-counter', 'refill', refill),
      moveRights: at('bounded-counter', 'moveRights', moveRights),
      splice: at('text', 'splice', spliceText),
      add: this.#operation('add', 'set', addElements),
      remove: this.#operation('remove', 'set', removeElements),
      clear: (path) => this.#run(() => resetPlace(this.#draft, this.#at(path).place)),
      put: (value) =>
        this.#run(() => {
          this.#create();
          putMap(this.#draft, { place: this.#draft.root, field: this.#record }, value);
        }),
      delete: () => this.#run(() => this.#delete()),
    };
  }

  #operation<Type extends Field['type'], Value>(
    name: string,
    type: Type,
    operation: (draft: Draft, at: { place: Place; field: FieldOf<Type> }, value: Value) => void,
  ) {
    return (path: Path, value: Value): void =>
      this.#run(() => {
        const { place, field } = this.#at(path);
        if (!isOfType(field, type)) {
          throw refusal('wrong-operation', { field: place.label, rule: type, value: name });
        }
        operation(this.#draft, { place, field }, value);
      });
  }

  /** Finds the field of an operation and makes the record exist. */
  #at(path: Path) {
    this.#create();
    return resolveField({ place: this.#draft.root, field: this.#record }, path);
  }

  /** What follows a deletion creates the record again. */
  #create(): void {
    if (!this.#exists) this.#markDue = true;
    this.#exists = true;
  }

  #isLive(): boolean {
    return liveEntries(this.#draft.entries()).length > 0;
  }

  #delete(): void {
    const draft = this.#draft;
    // What this edit has written does not live before its mark does, and goes too.
    const lives = (this.#exists && draft.changed) || this.#isLive();
    this.#exists = false;
    this.#markDue = false;
    resetPlace(draft, draft.root);
    // Of a record that is dead, only what its deletion hides goes; one of now would hide what others create meanwhile.
    if (lives) this.#supersede(tagDeletion);
    if (lives && draft.options.lastWriterWins) this.#writeStamped(tagDeletion);
    this.#whole = draft.changed;
  }

  /** An operation that failed may have written a part, so the edit fails with it. */
  #run(operation: () => void): void {
    check(!this.#closed, 'invalid-argument', { rule: 'open-edit' });
    try {
      operation();
    } catch (error) {
      this.#failures.push(error);
      throw error;
    }
  }

  /** Takes no operations any more. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Ends the edit: writes the mark where it is due, and says whether the delta has to be the whole record. Throws what
   * an operation threw, if one did.
   */
  finish(): { readonly whole: boolean } {
    for (const error of this.#failures) throw error;
    const draft = this.#draft;
    const emptied = () => liveEntries(draft.entries()).every((entry) => entry.tag === tagMark);
    const everyEdit = draft.changed && (draft.options.lastWriterWins || emptied());
    if (this.#exists && (this.#markDue || everyEdit)) this.#writeMark();
    return { whole: this.#whole };
  }

  #writeMark(): void {
    this.#supersede(tagMark);
    this.#writeStamped(tagMark);
  }

  #supersede(tag: number): void {
    const { root } = this.#draft;
    this.#draft.supersede(root, entriesAt(root, tag));
  }

  #writeStamped(tag: number): void {
    this.#draft.write(this.#draft.root, { tag, sub: '' }, bytesOf(stampText(this.#draft.stamp)));
  }
}

function isOfType<Type extends Field['type']>(field: Field, type: Type): field is FieldOf<Type> {
  return field.type === type;
}

/**
 * Carries out the operations of one edit. Each is checked against the declaration before it writes, but one that fails
 * half way leaves a draft that must not be used: the first error is kept, and `finish` throws it where nobody else did.
 * An editor takes nothing once it is closed, so what a kept one is told is never silently lost.
 */
import { memberPath, type Path } from '../codec/path.ts';
import { isPlain } from '../codec/value.ts';
import { ConflictError } from '../errors.ts';
import { tagDeletion, tagMark } from '../codec/format.ts';
import { moveRights, readBounded, refill, type RightsMove, spend } from '../types/bounded-counter.ts';
import { increment, putCounter, readCounter } from '../types/counter.ts';
import type { Field, Fields, MapField, SetField, Sibling } from '../types/field.ts';
import { type Place, placeIn } from '../types/place.ts';
import { putRegister, setRegister } from '../types/register.ts';
import { childOf, resetPlace } from '../types/reset.ts';
import { binaryName, declaredMember, resolveField, unknownField } from '../types/resolve-field.ts';
import { addElements, putSet, removeElements } from '../types/set.ts';
import { isTextShown, required, type Splice, type TextEngine } from '../types/text.ts';
import { textOf } from '../codec/utf8.ts';
import type { Draft } from './draft.ts';
import { stampText } from './entry.ts';
import { liveEntries } from './liveness.ts';
import type { Editor } from './operations.ts';

export interface EditorOptions {
  readonly fields: Fields;
  readonly lastWriterWins: boolean;
  readonly maxDepth: number;
  readonly maxBytes: number;
  readonly text: TextEngine | undefined;
}

/** Operations on a draft, whose delta the draft has in the end. */
export class RecordEditor implements Editor {
  readonly #draft: Draft;
  readonly #options: EditorOptions;
  /** Whether the record exists after what was done so far. */
  #exists = true;
  #markDue: boolean;
  #whole = false;
  #closed = false;
  #failure: { readonly error: unknown } | null = null;

  constructor(draft: Draft, options: EditorOptions) {
    this.#draft = draft;
    this.#options = options;
    this.#markDue = liveEntries(draft.entries()).length === 0;
  }

  /** What follows a deletion creates the record again. */
  #create(): void {
    if (!this.#exists) this.#markDue = true;
    this.#exists = true;
  }

  set(path: Path, value: unknown): void {
    this.#run(() => {
      const { place } = this.#at(path, 'set', 'register');
      setRegister(this.#draft, place, this.#value(value));
    });
  }

  restore(path: Path, sibling: Sibling): void {
    this.#run(() => {
      const { place } = this.#at(path, 'restore', 'register');
      setRegister(this.#draft, place, this.#value(valueOf(sibling, place.label)));
    });
  }

  clear(path: Path): void {
    this.#run(() => {
      const { path: binary, label } = resolveField(this.#options.fields, path);
      this.#create();
      resetPlace(this.#draft, placeIn(this.#draft, binary, label), this.#options.text);
    });
  }

  increment(path: Path, amount: number): void {
    this.#run(() => increment(this.#draft, this.#at(path, 'increment', 'counter').place, amount));
  }

  add(path: Path, elements: readonly unknown[]): void {
    this.#run(() => {
      const { place, field } = this.#at(path, 'add', 'set');
      addElements(this.#draft, place, this.#elements(field, elements));
    });
  }

  remove(path: Path, elements: readonly unknown[]): void {
    this.#run(() => {
      const { place, field } = this.#at(path, 'remove', 'set');
      removeElements(this.#draft, place, this.#elements(field, elements));
    });
  }

  spend(path: Path, amount: number): void {
    this.#run(() => spend(this.#draft, this.#at(path, 'spend', 'bounded-counter').place, amount));
  }

  refill(path: Path, amount: number): void {
    this.#run(() => refill(this.#draft, this.#at(path, 'refill', 'bounded-counter').place, amount));
  }

  moveRights(path: Path, move: RightsMove): void {
    this.#run(() => moveRights(this.#draft, this.#at(path, 'moveRights', 'bounded-counter').place, move));
  }

  splice(path: Path, splices: readonly Splice[]): void {
    this.#run(() => {
      const { place } = this.#at(path, 'splice', 'text');
      required(this.#options.text, place).splice(this.#draft, place, splices);
    });
  }

  put(value: unknown): void {
    this.#run(() => {
      this.#create();
      this.#putMap(placeIn(this.#draft, '', ''), { type: 'map', fields: this.#options.fields }, value);
    });
  }

  delete(): void {
    this.#run(() => {
      const draft = this.#draft;
      // What this edit has written does not live before its mark does, and goes too.
      const lives = (this.#exists && draft.changed) || liveEntries(draft.entries()).length > 0;
      this.#exists = false;
      this.#markDue = false;
      resetPlace(draft, placeIn(draft, '', ''), this.#options.text);
      // Of a record that is dead, only what its deletion hides goes; one of now would hide what others create meanwhile.
      if (lives) this.#supersede(tagDeletion);
      if (lives && this.#options.lastWriterWins) this.#writeStamped(tagDeletion);
      this.#whole = draft.changed;
    });
  }

  /** An operation that failed may have written a part, so the edit fails with it. */
  #run(operation: () => void): void {
    if (this.#closed) {
      const message = 'the edit is over; its operations are called before its function returns';
      throw new ConflictError('invalid-argument', message, { rule: 'open-edit' });
    }
    try {
      operation();
    } catch (error) {
      this.#failure ??= { error };
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
    if (this.#failure !== null) throw this.#failure.error;
    const draft = this.#draft;
    const emptied = () => liveEntries(draft.entries()).every((entry) => entry.tag === tagMark);
    const everyEdit = draft.changed && (this.#options.lastWriterWins || emptied());
    if (this.#exists && (this.#markDue || everyEdit)) this.#writeMark();
    return { whole: this.#whole };
  }

  #writeMark(): void {
    this.#supersede(tagMark);
    this.#writeStamped(tagMark);
  }

  #supersede(tag: number): void {
    const { root } = this.#draft;
    this.#draft.supersede(
      root,
      root.entries.filter((entry) => entry.tag === tag),
    );
  }

  #writeStamped(tag: number): void {
    const stamp = stampText(this.#draft.stamp);
    const payload = Uint8Array.from(stamp, (character) => character.charCodeAt(0));
    this.#draft.write({ path: '', tag, sub: '' }, payload);
  }

  /** Finds the field of an operation, which is one for one type, and makes the record exist. */
  #at<Type extends Field['type']>(path: Path, operation: string, type: Type) {
    const { field, path: binary, label } = resolveField(this.#options.fields, path);
    if (!isOfType(field, type)) {
      const message = `${operation} is for a ${type}, the field is a ${field.type}`;
      throw new ConflictError('wrong-operation', message, { field: label, rule: type, value: operation });
    }
    this.#create();
    return { field, place: placeIn(this.#draft, binary, label) };
  }

  #value(value: unknown) {
    const { maxDepth, maxBytes } = this.#options;
    return { value, maxDepth, maxBytes };
  }

  #elements({ bias }: SetField, elements: unknown) {
    return { elements, bias, stamped: this.#options.lastWriterWins };
  }

  #putField(place: Place, field: Field, value: unknown): void {
    const draft = this.#draft;
    switch (field.type) {
      case 'register':
        return putRegister(draft, place, { field, ...this.#value(value) });
      case 'counter':
        return putCounter(place.label, readCounter(place), value);
      case 'bounded-counter':
        return putCounter(place.label, readBounded(place, field), value);
      case 'set':
        return putSet(draft, place, this.#elements(field, value));
      case 'text':
        return this.#putText(place, value);
      case 'map':
        return this.#putMap(place, field, value);
    }
  }

  /** An empty text that nobody wrote to needs no engine. */
  #putText(place: Place, value: unknown): void {
    if (value === '' && !isTextShown(place)) return;
    required(this.#options.text, place).put(this.#draft, place, value);
  }

  #putMap(place: Place, field: MapField, value: unknown): void {
    const named = membersOf(place.label, value);
    for (const name of named.keys()) {
      const label = memberPath(place.label, name);
      if (declaredMember(field, name) === undefined) throw unknownField(label);
      binaryName(name, label);
    }
    for (const [name, member] of namedAndStored(place, field, named)) {
      const binary = binaryName(name, place.label);
      if (named.has(name)) this.#putField(childOf(place, binary, name), member, named.get(name));
      else if (place.node.children.has(binary)) this.#clearUnnamed(childOf(place, binary, name), member);
    }
  }

  /** What a put does not name is cleared, except for counters. */
  #clearUnnamed(place: Place, field: Field): void {
    if (field.type === 'counter' || field.type === 'bounded-counter') return;
    if (field.type === 'map') this.#putMap(place, field, {});
    else resetPlace(this.#draft, place, this.#options.text);
  }
}

function valueOf(sibling: unknown, label: string): unknown {
  if (typeof sibling === 'object' && sibling !== null && 'value' in sibling) return sibling.value;
  const message = 'a sibling is restored as it was read';
  throw new ConflictError('invalid-value', message, { field: label, rule: 'sibling', value: sibling });
}

function isOfType<Type extends Field['type']>(
  field: Field,
  type: Type,
): field is Extract<Field, { type: Type }> {
  return field.type === type;
}

function membersOf(label: string, value: unknown): ReadonlyMap<string, unknown> {
  if (typeof value === 'object' && value !== null && isPlain(value)) return new Map(Object.entries(value));
  const message = 'an object with a member for each field is needed';
  throw new ConflictError('invalid-value', message, { field: label, rule: 'object', value });
}

/** Members that the put names or that the map holds, with their declarations. */
function namedAndStored(
  place: Place,
  map: MapField,
  named: ReadonlyMap<string, unknown>,
): readonly (readonly [string, Field])[] {
  if ('fields' in map) return Object.entries(map.fields);
  const names = new Set([...named.keys(), ...[...place.node.children.keys()].map(textOf)]);
  return [...names].map((name) => [name, map.of] as const);
}

/**
 * The operations of one edit. Each names its field by a path and is checked against the declaration before anything
 * is written; an operation that throws has changed nothing, but earlier ones of the same edit have, so the edit as a
 * whole is dropped by whoever lets the error through. The editor also keeps the record's existence: an edit of an
 * absent record creates it, and a record that is emptied field by field goes on existing.
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

export interface EditorOptions {
  readonly fields: Fields;
  readonly lastWriterWins: boolean;
  readonly maxDepth: number;
  readonly maxBytes: number;
  readonly text: TextEngine | undefined;
}

/**
 * The operations of one edit, handed to the function that is given to `Schema.edit` and of no use after it. All of
 * them throw `unknown-field` for a field that is not declared, `wrong-operation` for one of another type, and
 * `invalid-value` for a name that cannot be stored.
 */
export class Editor {
  readonly #draft: Draft;
  readonly #options: EditorOptions;
  /** Whether the record exists after what was done so far. */
  #exists = true;
  #markDue: boolean;
  #whole = false;

  /** Editors are made by `Schema.edit`. */
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

  /**
   * Writes a register, or a register within a map, also with an equal value. Throws `invalid-value` for what JSON cannot
   * hold, `too-deep` and `too-large`.
   */
  set(path: Path, value: unknown): void {
    const { place } = this.#at(path, 'set', 'register');
    setRegister(this.#draft, place, this.#value(value));
  }

  /** Writes the value of a sibling again, so that it is shown. */
  restore(path: Path, sibling: Sibling): void {
    this.set(path, sibling.value);
  }

  /** Forgets what is seen of a field of any type; a counter starts again. Throws `text-engine-missing`. */
  clear(path: Path): void {
    this.#create();
    const { path: binary, label } = resolveField(this.#options.fields, path);
    resetPlace(this.#draft, placeIn(this.#draft, binary, label), this.#options.text);
  }

  /**
   * Adds to a counter; the amount is an integer and may be negative. Throws `invalid-value` and `counter-out-of-range`.
   */
  increment(path: Path, amount: number): void {
    increment(this.#draft, this.#at(path, 'increment', 'counter').place, amount);
  }

  /** Adds elements to a set, also ones that are there. Throws `invalid-value`. */
  add(path: Path, elements: readonly unknown[]): void {
    const { place, field } = this.#at(path, 'add', 'set');
    addElements(this.#draft, place, this.#elements(field, elements));
  }

  /** Removes elements from a set, in one biased to removal also ones that are not there. Throws `invalid-value`. */
  remove(path: Path, elements: readonly unknown[]): void {
    const { place, field } = this.#at(path, 'remove', 'set');
    removeElements(this.#draft, place, this.#elements(field, elements));
  }

  /**
   * Takes from a bounded counter what this actor has rights for; else throws `insufficient-rights`, whatever the counter
   * shows. The amount is a non-negative integer; else throws `invalid-value`.
   */
  spend(path: Path, amount: number): void {
    spend(this.#draft, this.#at(path, 'spend', 'bounded-counter').place, amount);
  }

  /** Adds to a bounded counter; the rights belong to this actor. Throws `invalid-value` and `counter-out-of-range`. */
  refill(path: Path, amount: number): void {
    refill(this.#draft, this.#at(path, 'refill', 'bounded-counter').place, amount);
  }

  /** Hands rights of this actor to another actor. Throws `insufficient-rights`, and `invalid-value` for itself. */
  moveRights(path: Path, move: RightsMove): void {
    moveRights(this.#draft, this.#at(path, 'moveRights', 'bounded-counter').place, move);
  }

  /**
   * Deletes and inserts in a text, at positions of the text before the edit. Throws `invalid-value`,
   * `text-engine-missing` and, where the stored text cannot be read, `malformed`.
   */
  splice(path: Path, splices: readonly Splice[]): void {
    const { place } = this.#at(path, 'splice', 'text');
    required(this.#options.text, place).splice(this.#draft, place, splices);
  }

  /**
   * Makes the record exactly this value, writing only what differs. Counters keep theirs, named or not; one named with
   * another value throws `wrong-operation`. Throws what the operations of the other types throw.
   */
  put(value: unknown): void {
    this.#create();
    this.#putMap(placeIn(this.#draft, '', ''), { type: 'map', fields: this.#options.fields }, value);
  }

  /** Deletes the whole record as this edit has seen it; of one that does not exist nothing. Throws `text-engine-missing`. */
  delete(): void {
    const draft = this.#draft;
    this.#exists = false;
    this.#markDue = false;
    if (liveEntries(draft.entries()).length === 0) return;
    resetPlace(draft, placeIn(draft, '', ''), this.#options.text);
    if (this.#options.lastWriterWins) this.#writeStamped(tagDeletion);
    this.#whole = true;
  }

  /** Ends the edit: writes the mark where it is due, and says whether the delta has to be the whole record. */
  finish(): { readonly whole: boolean } {
    const draft = this.#draft;
    const emptied = () => liveEntries(draft.entries()).every((entry) => entry.tag === tagMark);
    const everyEdit = draft.changed && (this.#options.lastWriterWins || emptied());
    if (this.#exists && (this.#markDue || everyEdit)) this.#writeMark();
    return { whole: this.#whole };
  }

  #writeMark(): void {
    const { root } = this.#draft;
    this.#draft.supersede(
      root,
      root.entries.filter((entry) => entry.tag === tagMark),
    );
    this.#writeStamped(tagMark);
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
      const child = childOf(this.#draft, place, binaryName(name, place.label));
      if (named.has(name)) this.#putField(child, member, named.get(name));
      else this.#clearUnnamed(child, member);
    }
  }

  /** What a put does not name is cleared, except for counters. */
  #clearUnnamed(place: Place, field: Field): void {
    if (field.type === 'counter' || field.type === 'bounded-counter') return;
    if (field.type === 'map') this.#putMap(place, field, {});
    else resetPlace(this.#draft, place, this.#options.text);
  }
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

/**
 * What can be done with a field, by its type: what its declaration may say, what is shown of it, how a value is put,
 * and the operations of an edit that it takes. This is the one place that lists the types; nothing else asks which one
 * it has before it, but for maps, which are followed by whoever goes through a record.
 */
import { isMembers, type JsonValue } from '../codec/value.ts';
import type { Draft } from '../record/draft.ts';
import { moveRights, putBounded, refill, showBounded, spend } from './bounded-counter.ts';
import { increment, putCounter, showCounter } from './counter.ts';
import type { Field, Sibling } from './field.ts';
import { putMap, showMap } from './map.ts';
import { putRegister, restoreRegister, setRegister, showRegister } from './register.ts';
import type { PlaceOf } from './resolve-field.ts';
import { addElements, putSet, removeElements, showSet } from './set.ts';
import { putText, showText, spliceText, type TextEngine } from './text.ts';

export interface Shown {
  readonly value: JsonValue;
  /** Whether anything stands behind the value; else it is the default of the type. */
  readonly live: boolean;
}

/** What is found on the way while a record is read. */
export interface View {
  /** All siblings of each register in conflict, by path, the latest first. */
  readonly siblings: Record<string, readonly Sibling[]>;
  /** Those of these paths whose policy asks to show the siblings beside the value. */
  readonly exposed: string[];
  readonly text: TextEngine | undefined;
}

/** Each function is called only with fields of its own type. */
interface FieldType {
  /** Options by name, and whether they may be this value. */
  readonly options: { readonly [option: string]: (value: unknown) => boolean };
  /** `null` where the field is left out. */
  show(at: PlaceOf, view: View): Shown | null;
  put(draft: Draft, at: PlaceOf, value: unknown): void;
}

export const fieldTypes: { readonly [Type in Field['type']]: FieldType } = {
  register: {
    options: { resolve: (value) => typeof value === 'function' || oneOf(value, 'last-writer', 'siblings') },
    show: showRegister,
    put: putRegister,
  },
  counter: { options: {}, show: showCounter, put: putCounter },
  'bounded-counter': {
    options: { min: Number.isSafeInteger },
    show: showBounded,
    put: putBounded,
  },
  set: {
    options: { bias: (value) => oneOf(value, 'add', 'remove') },
    show: showSet,
    put: putSet,
  },
  text: { options: {}, show: showText, put: putText },
  map: { options: { fields: isMembers, of: isMembers }, show: showMap, put: putMap },
};

/** Operations of the editor, the type of the fields that take them, and what they do. */
export const operations: readonly (readonly [name: string, type: Field['type'], run: FieldType['put']])[] = [
  ['set', 'register', setRegister],
  ['restore', 'register', restoreRegister],
  ['increment', 'counter', increment],
  ['spend', 'bounded-counter', spend],
  ['refill', 'bounded-counter', refill],
  ['moveRights', 'bounded-counter', moveRights],
  ['add', 'set', addElements],
  ['remove', 'set', removeElements],
  ['splice', 'text', spliceText],
];

function oneOf(value: unknown, ...choices: readonly unknown[]): boolean {
  return choices.includes(value);
}

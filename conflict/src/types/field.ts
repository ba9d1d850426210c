/**
 * Declarations of fields: plain objects that can be written in a JSON file, except for a resolver that is a function.
 * The type of a field is part of its identity in the bytes and never changes; everything else in a declaration shapes
 * what is read, or what an edit writes, and never how states merge. The functions here return the declarations that
 * one could write by hand, with their exact types.
 */
import type { JsonValue } from '../codec/value.ts';
import { isObject, readFrom } from '../arguments.ts';
import { checkDeclared } from '../refusal.ts';

/** One of several values that were written to a register concurrently. */
export interface Sibling {
  /** What was written. */
  readonly value: JsonValue;
  /** Its stamp: milliseconds since 1970. */
  readonly at: number;
  /** The logical part of its stamp, 0 to 65,535. */
  readonly logical: number;
  /** Its dot: who wrote it. */
  readonly actor: string;
  /** Its dot: which of the actor's writes to this record it was. */
  readonly counter: number;
  /** Whether it is the value that the field shows. */
  readonly shown: boolean;
}

/**
 * Chooses what a register shows from at least two siblings, the latest first. It must answer alike for alike input;
 * then every replica shows the same, whatever it computes. What it throws comes out of `read`, `put` and `diff` as it is,
 * and no field of the record can be read: one that may fail has to catch that itself.
 */
export type Resolver = (siblings: readonly Sibling[]) => JsonValue;

/** One value of JSON, replaced as a whole. */
export interface RegisterField {
  readonly type: 'register';
  /** `last-writer` (default) shows the latest sibling; `siblings` does so too and asks for the others beside it. */
  readonly resolve?: 'last-writer' | 'siblings' | Resolver;
}

/** A sum of amounts, positive and negative; safe integers. */
export interface CounterField {
  readonly type: 'counter';
}

/**
 * A number that never falls below its minimum (Balegas et al., "Extending Eventually Consistent Cloud Databases for
 * Enforcing Numeric Invariants", 2015).
 */
export interface BoundedCounterField {
  readonly type: 'bounded-counter';
  /** The value that no spending goes below; 0 by default. Also the value before anything is refilled. */
  readonly min?: number;
}

/** A set of texts, finite numbers and booleans. */
export interface SetField {
  readonly type: 'set';
  /** Who wins when one element is added and removed concurrently; `add` by default. */
  readonly bias?: 'add' | 'remove';
}

/** A text that several people edit; needs the engine of `@isthmus/conflict/text`. */
export interface TextField {
  readonly type: 'text';
}

/** A map with declared members. */
export interface DeclaredMapField {
  readonly type: 'map';
  /** Names of letters, digits and `_`, a letter first, at most 64. */
  readonly fields: Fields;
}

/** A map whose members have any names and one type. */
export interface OpenMapField {
  readonly type: 'map';
  /** The type of every member; names have up to 512 bytes of UTF-8. */
  readonly of: Field;
}

/** A map with declared members, or with any. */
export type MapField = DeclaredMapField | OpenMapField;
/** A declaration of any type. */
export type Field = RegisterField | CounterField | BoundedCounterField | SetField | TextField | MapField;

/** Declarations by name: letters, digits and `_`, a letter first, at most 64. */
export interface Fields {
  readonly [name: string]: Field;
}

/**
 * A register; `resolve` says what it shows of concurrent values. Checked by `schema`; like the functions below, throws
 * `invalid-schema` where its options are no object.
 */
export function register<const Options extends Omit<RegisterField, 'type'>>(
  options?: Options,
): { readonly type: 'register' } & Options;
export function register(options: Omit<RegisterField, 'type'> = {}): RegisterField {
  return { type: 'register', ...checkedOptions(options) };
}

/** A counter, changed by `Editor.increment`. */
export function counter(): CounterField {
  return { type: 'counter' };
}

/** A bounded counter, changed by `Editor.refill`, `spend` and `moveRights`; `min` is a safe integer, 0 by default. */
export function boundedCounter(options: Omit<BoundedCounterField, 'type'> = {}): BoundedCounterField {
  return { type: 'bounded-counter', ...checkedOptions(options) };
}

/** A set, changed by `Editor.add` and `remove`; `bias` is `add` by default. */
export function set(options: Omit<SetField, 'type'> = {}): SetField {
  return { type: 'set', ...checkedOptions(options) };
}

/** A text, changed by `Editor.splice`. */
export function text(): TextField {
  return { type: 'text' };
}

/** `map({ city: register() })` declares members; `map(register())` takes any names. Throws `invalid-schema`. */
export function map<Of extends Field>(of: Of): { readonly type: 'map'; readonly of: Of };
export function map<Members extends Fields>(
  fields: Members,
): { readonly type: 'map'; readonly fields: Members };
export function map(members: Field | Fields): MapField {
  return isField(members) ? { type: 'map', of: members } : { type: 'map', fields: members };
}

/** A copy of options. What is spread must be an object, else it would be ignored. */
export function checkedOptions<Options extends object>(options: Options, rule = 'options'): Options {
  checkDeclared(isObject(options), rule, { value: options });
  return readFrom(options, rule, () => ({ ...options }));
}

/** A declaration has a text as its type, where a member that is called `type` would have a declaration. */
function isField(members: Field | Fields): members is Field {
  checkDeclared(isObject(members), 'map', { value: members });
  return readFrom(members, 'map', () => typeof members['type' as keyof typeof members] === 'string');
}

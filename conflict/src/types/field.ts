/**
 * Declarations of fields: plain objects that can be written in a JSON file, except for a resolver that is a function.
 * The type of a field is part of its identity in the bytes and never changes; everything else in a declaration shapes
 * what is read, or what an edit writes, and never how states merge. The functions here return the declarations that
 * one could write by hand, with their exact types.
 */
import type { JsonValue } from '../codec/value.ts';

/** One of several values that were written to a register concurrently. */
export interface Sibling {
  readonly value: JsonValue;
  /** Its stamp: milliseconds since 1970, and the logical part. */
  readonly at: number;
  readonly logical: number;
  /** Its dot: who wrote it, and which of its writes it was. */
  readonly actor: string;
  readonly counter: number;
  /** Whether it is the value that the field shows. */
  readonly shown: boolean;
}

/**
 * Chooses what a register shows from at least two siblings, the latest first. It must answer alike for alike input;
 * then every replica shows the same, whatever it computes.
 */
export type Resolver = (siblings: readonly Sibling[]) => JsonValue;

export interface RegisterField {
  readonly type: 'register';
  /** `last-writer` (default) shows the latest sibling; `siblings` does so too and asks for the others beside it. */
  readonly resolve?: 'last-writer' | 'siblings' | Resolver;
}

export interface CounterField {
  readonly type: 'counter';
}

export interface BoundedCounterField {
  readonly type: 'bounded-counter';
  /** The value that no spending goes below; 0 by default. Also the value before anything is refilled. */
  readonly min?: number;
}

export interface SetField {
  readonly type: 'set';
  /** Who wins when one element is added and removed concurrently; `add` by default. */
  readonly bias?: 'add' | 'remove';
}

export interface TextField {
  readonly type: 'text';
}

/** A map with declared members. */
export interface DeclaredMapField {
  readonly type: 'map';
  readonly fields: Fields;
}

/** A map whose members have any names and one type. */
export interface OpenMapField {
  readonly type: 'map';
  readonly of: Field;
}

export type MapField = DeclaredMapField | OpenMapField;
export type Field = RegisterField | CounterField | BoundedCounterField | SetField | TextField | MapField;

export interface Fields {
  readonly [name: string]: Field;
}

export function register<const Options extends Omit<RegisterField, 'type'>>(
  options?: Options,
): { readonly type: 'register' } & Options;
export function register(options: Omit<RegisterField, 'type'> = {}): RegisterField {
  return { type: 'register', ...options };
}

export function counter(): CounterField {
  return { type: 'counter' };
}

export function boundedCounter(options: Omit<BoundedCounterField, 'type'> = {}): BoundedCounterField {
  return { type: 'bounded-counter', ...options };
}

export function set(options: Omit<SetField, 'type'> = {}): SetField {
  return { type: 'set', ...options };
}

export function text(): TextField {
  return { type: 'text' };
}

/** `map({ city: register() })` declares members; `map(register())` takes any names. */
export function map<Of extends Field>(of: Of): { readonly type: 'map'; readonly of: Of };
export function map<Members extends Fields>(
  fields: Members,
): { readonly type: 'map'; readonly fields: Members };
export function map(members: Field | Fields): MapField {
  return isField(members) ? { type: 'map', of: members } : { type: 'map', fields: members };
}

function isField(members: Field | Fields): members is Field {
  return typeof members['type' as keyof typeof members] === 'string';
}

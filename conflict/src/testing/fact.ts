/**
 * What a model of a replica may know: facts. A fact is one thing that happened in one edit somewhere, or one thing
 * that somebody has seen go. Facts are never changed and never taken back, so what a replica knows is a plain set, a
 * delta is a set, and merging is the union of sets. Nothing here looks at bytes, dots, contexts or vectors: this is
 * the other way to say what a record means, and it must share no code with the library that it judges.
 */
import type { JsonValue } from '../codec/value.ts';
import type { Names } from './operation.ts';

/** Milliseconds and what counts within one of them. */
export type Time = readonly [ms: number, logical: number];

/** Something written that is there until somebody has seen it go. */
export interface Write {
  readonly kind: 'write';
  readonly of: 'register' | 'added' | 'removed' | 'mark' | 'deletion' | 'chunk' | 'remnant' | 'client';
  /** Empty for the mark and the deletion. A client is what numbers an actor's insertions into a text. */
  readonly path: Names;
  /** The value of a register, the element of a set. */
  readonly value: JsonValue;
  readonly time: Time | null;
  readonly actor: string;
  /** Whose write it is of what: a register, an element, the mark. Only the latest in a slot counts for what is shown. */
  readonly slot: string;
  /** Grows with every write of a history; orders the writes of one actor. */
  readonly sequence: number;
}

/** Somebody has overwritten, removed, cleared or deleted what was written. */
export interface Gone {
  readonly kind: 'gone';
  readonly what: Write;
}

export interface Increment {
  readonly kind: 'increment';
  readonly path: Names;
  readonly actor: string;
  readonly amount: number;
}

/** A reset has seen the increment. */
export interface Cancelled {
  readonly kind: 'cancelled';
  readonly what: Increment;
}

/** An account of rights: an actor's own, or what it moved to another actor. */
export interface Account {
  readonly path: Names;
  readonly actor: string;
  readonly to: string | null;
}

/** Rights granted to, or used from, an account. A later life of the account replaces earlier ones. */
export interface Booking {
  readonly kind: 'booking';
  readonly account: Account;
  readonly life: number;
  readonly side: 'granted' | 'used';
  readonly amount: number;
}

/** How much of one side no longer counts: resets have seen it, or it was forgiven. */
export interface Settled {
  readonly kind: 'settled';
  readonly account: Account;
  readonly life: number;
  readonly side: 'granted' | 'used';
  readonly upTo: number;
}

/** All lives of an account up to this one were collected. */
export interface Closed {
  readonly kind: 'closed';
  readonly account: Account;
  readonly life: number;
}

/** Characters typed into a text and characters erased from it, by one edit. Every character of a history is unique. */
export interface Typed {
  readonly kind: 'typed';
  readonly path: Names;
  readonly inserted: readonly string[];
  readonly erased: readonly string[];
  /** The characters shown beside the insertion when it was made; empty at an end. */
  readonly between: readonly [left: string, right: string];
  /** What the typist knew of the text. */
  readonly after: readonly Typed[];
}

/** An edit took place, whatever came of it. */
export interface Happened {
  readonly kind: 'happened';
  readonly actor: string;
  readonly sequence: number;
}

/** One thing that happened in one edit, or that somebody has seen go. */
export type Fact = Happened | Write | Gone | Increment | Cancelled | Booking | Settled | Closed | Typed;

const goneOf = new WeakMap<Write, Gone>();
const cancelledOf = new WeakMap<Increment, Cancelled>();

/** The one fact that a write is gone. */
export function gone(what: Write): Gone {
  const fact = goneOf.get(what) ?? { kind: 'gone', what };
  goneOf.set(what, fact);
  return fact;
}

export function cancelled(what: Increment): Cancelled {
  const fact = cancelledOf.get(what) ?? { kind: 'cancelled', what };
  cancelledOf.set(what, fact);
  return fact;
}

export function samePath(a: Names, b: Names): boolean {
  return a.length === b.length && isWithin(a, b);
}

export function isWithin(path: Names, map: Names): boolean {
  return map.every((name, index) => path[index] === name);
}

export function distinctPaths(paths: readonly Names[]): readonly Names[] {
  return paths.filter((path, index) => paths.findIndex((each) => samePath(each, path)) === index);
}

export function sameAccount(a: Account, b: Account): boolean {
  return a.actor === b.actor && a.to === b.to && samePath(a.path, b.path);
}

/** Later time, then greater actor by code points, then later write. */
export function isLater(a: Write, b: Write): boolean {
  const [ms, logical] = a.time ?? [0, 0];
  const [otherMs, otherLogical] = b.time ?? [0, 0];
  if (ms !== otherMs) return ms > otherMs;
  if (logical !== otherLogical) return logical > otherLogical;
  if (a.actor !== b.actor) return isGreater(a.actor, b.actor);
  return a.sequence > b.sequence;
}

function isGreater(a: string, b: string): boolean {
  const left = Array.from(a).map((character) => character.codePointAt(0) ?? 0);
  const right = Array.from(b).map((character) => character.codePointAt(0) ?? 0);
  const at = left.findIndex((point, index) => point !== right[index]);
  return at !== -1 && (left[at] ?? 0) > (right[at] ?? -1);
}

/** Whether two JSON values are the same; members of objects in any order, 0 and -0 apart. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  const right = new Map<string, unknown>(Object.entries(b));
  return (
    left.length === right.size &&
    left.every(([name, value]) => right.has(name) && sameValue(value, right.get(name)))
  );
}

/**
 * The order of names in the database: that of their UTF-8 bytes (collation "C"), which is the order of code points.
 * JavaScript compares UTF-16 units, which puts surrogate pairs before U+E000 to U+FFFF; every write transaction locks
 * in one order, so the two must never be mixed. Names that Postgres text cannot hold are refused here.
 */
import { ReplicationError } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';

const loneSurrogate = /\p{Surrogate}/u;
const anySurrogate = /[\ud800-\udfff]/;
const lastBeforeSurrogates = 0xd7ff;
const firstAfterSurrogates = 0xe000;
const lastCodePoint = 0x10ffff;

/** Negative, zero or positive, as the UTF-8 bytes of `a` sort before, with or after those of `b`. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = rank(a.charCodeAt(index)) - rank(b.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/**
 * The same order over `names`, as fast as it can be had: where none of them holds a surrogate, the order of UTF-16
 * units is that of code points.
 */
export function orderOf(names: Iterable<string>): (a: string, b: string) => number {
  for (const name of names) if (anySurrogate.test(name)) return compareNames;
  return compareUnits;
}

function compareUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Moves surrogates, which stand for code points above U+FFFF, behind all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < firstAfterSurrogates ? unit + 0x2000 : unit - 0x800;
}

/** Least name above every name that starts with `prefix`; `null`: there is none. */
export function endOfPrefix(prefix: string): string | null {
  const points = Array.from(prefix, (point) => point.codePointAt(0) ?? 0);
  while (points.at(-1) === lastCodePoint) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  const next = last === lastBeforeSurrogates ? firstAfterSurrogates : last + 1;
  return String.fromCodePoint(...points, next);
}

/** Throws `malformed-record` where Postgres cannot hold the record's name exactly. */
export function requireStorable(id: RecordId): void {
  requireText('collection', id.collection);
  requireText('key', id.key);
}

export function requireText(field: string, text: string): void {
  if (text.includes('\0')) throw refused(field, 'the character U+0000');
  if (anySurrogate.test(text) && loneSurrogate.test(text)) throw refused(field, 'half a surrogate pair');
}

function refused(field: string, what: string): ReplicationError {
  return new ReplicationError('malformed-record', `${field} holds ${what}`, {
    retriable: false,
  });
}
